"""What people are asked, and what they ask to be tried."""
