"""How a queued try is started, and how it is known to be over."""
