"""Where the variables and connections of tasks come from: secrets backends in an order, one of which is the store."""
