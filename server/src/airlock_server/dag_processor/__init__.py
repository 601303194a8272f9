"""The trusted half of parsing: finds DAG files, has them parsed by runners, and stores what they say."""
