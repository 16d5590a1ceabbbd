"""Compiles workflow JSON to Python handlers: read, check, lower, structure, emit."""
