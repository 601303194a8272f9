"""The cluster for tests: one that is there, kind, or a bare node built from sources."""
