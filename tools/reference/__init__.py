"""The generated pages of docs/reference, and a reader of the documents. Run by ``scripts/manifests.sh``."""
