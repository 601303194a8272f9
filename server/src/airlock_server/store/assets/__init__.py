"""Assets: which there are, which task instances may use them, when they were written, and what is kept for them."""
