"""The server: everything that may open the database, and the only holder of the signing key."""
