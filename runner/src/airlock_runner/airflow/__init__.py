"""Airflow's own runner as the launcher's child, in an image that has Airflow 3.3 and nothing of ours (docs/adr/0013).

python /airlock/opt/launcher --socket-dir FOLDER [--bundle-root FOLDER] [--grace-seconds SECONDS]
"""
