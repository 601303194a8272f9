"""The graph of a DAG: its nodes, the arrows between them, groups, setups and teardowns."""
