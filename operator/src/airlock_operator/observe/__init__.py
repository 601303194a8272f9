"""What is: TaskRuns, their pods, and what kubelets complain of."""
