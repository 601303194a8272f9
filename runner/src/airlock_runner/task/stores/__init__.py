"""Where a task keeps values: its state, and XComs outside the server."""
