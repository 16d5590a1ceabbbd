"""The expression language: a checked subset of Python, compiled ahead of time."""
