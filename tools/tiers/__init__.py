"""The tiers of tests: which there are, what each needs, and how a run of them goes. Run by ``scripts/tiers.sh``."""
