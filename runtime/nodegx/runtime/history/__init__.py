"""Execution history: records, capture, stores."""
