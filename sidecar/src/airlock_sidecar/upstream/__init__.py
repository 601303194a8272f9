"""The server, and the tokens that it is asked with."""
