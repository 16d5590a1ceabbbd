"""The `nodegx` command."""
