"""The sidecar: it holds the token of one launch, and speaks the Execution API for its runner."""
