"""What is kept: one module a resource. A function given to ``Engine.write`` may run twice."""
