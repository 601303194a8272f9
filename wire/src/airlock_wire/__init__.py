"""What the processes of Airlock hand one another. It imports msgspec and nothing of ours."""
