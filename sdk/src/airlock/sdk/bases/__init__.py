"""The classes that operators, sensors, hooks and notifiers derive from."""
