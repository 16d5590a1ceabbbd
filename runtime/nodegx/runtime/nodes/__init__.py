"""Implementations of the nodes, one module per library used."""
