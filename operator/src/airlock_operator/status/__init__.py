"""What a TaskRun's status and its Events say of it. Pure."""
