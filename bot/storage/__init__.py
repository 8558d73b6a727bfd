"""Floor 5: SQLite and PostgreSQL behind the ports `Store`, `Outbox` and `Reader`, with SQLAlchemy Core."""
