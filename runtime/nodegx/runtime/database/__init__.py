"""Databases that stores keep their tables in: SQLite files and PostgreSQL.

Stores write their SQL once, with `?` for values, for both; where the two differ, the statement asks
the database's `Dialect`.
"""
