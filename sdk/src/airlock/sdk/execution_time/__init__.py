"""What author's code meets while a task runs."""
