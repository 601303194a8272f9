"""What is kept: one module a resource. A function given to ``Database.write`` may run twice."""
