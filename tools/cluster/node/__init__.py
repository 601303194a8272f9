"""A bare node: all of Kubernetes as processes of this machine, in namespaces of their own."""
