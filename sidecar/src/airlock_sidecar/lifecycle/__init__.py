"""One launch, from the launcher's hello to the record."""
