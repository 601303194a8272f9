"""Runs the tiers of tests, each with what it needs. ``scripts/tiers.sh`` starts it."""
