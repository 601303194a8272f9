"""What runs next in a DAG run, and how the run ends. Pure: plain data in, plain data out."""
