"""The self-hosted host: HTTP, scheduler, events, history."""
