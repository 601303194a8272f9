"""The database itself: connections, transactions, migrations, what differs between databases."""
