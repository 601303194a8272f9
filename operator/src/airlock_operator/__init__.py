"""The operator: it turns TaskRuns into pods. ``decide.plan`` is where to start reading."""
