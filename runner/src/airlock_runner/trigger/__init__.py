"""Trigger mode: runs the trigger that a deferred task instance waits for, in a process of the author's."""
