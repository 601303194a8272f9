"""An operator with ten thousand TaskRuns, against a real API server and a played kubelet."""
