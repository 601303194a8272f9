"""One OpenTelemetry trace for each TaskRun, made of its status when an attempt ends. Off without an endpoint."""
