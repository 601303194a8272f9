"""Turns a pod as KubernetesExecutor takes it into what a TaskRun can say. Plain data and pure functions."""
