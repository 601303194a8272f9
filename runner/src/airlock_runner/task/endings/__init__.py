"""How a task ends: what is reported, and what follows the report."""
