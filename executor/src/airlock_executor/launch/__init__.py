"""What a launch is, is named, shows and comes to. Plain data and pure functions."""
