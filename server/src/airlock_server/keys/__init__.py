"""The keys of an install, and what they sign, encrypt and prove."""
