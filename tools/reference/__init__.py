"""The generated pages of docs, and a reader of the documents. Run by ``scripts/manifests.sh``."""
