"""Runs compiled workflows in any Python process."""
