"""Declarations of all node types."""
