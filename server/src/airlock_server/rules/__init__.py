"""What a call or an end does to a row. Pure, without SQL."""
