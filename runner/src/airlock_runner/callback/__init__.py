"""Callback mode: calls the callbacks that no runner of a task calls, in a process of the author's."""
