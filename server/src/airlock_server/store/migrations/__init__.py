"""The revisions of the database, for Alembic."""
