"""The variants of ``@task``."""
