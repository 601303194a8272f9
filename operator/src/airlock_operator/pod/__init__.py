"""The pod of an attempt, container by container. Pure."""
