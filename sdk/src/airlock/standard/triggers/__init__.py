"""What the standard provider's operators and sensors wait for in a triggerer."""
