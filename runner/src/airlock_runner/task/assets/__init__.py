"""What a task with assets meets in its context. Imported for such tasks alone."""
