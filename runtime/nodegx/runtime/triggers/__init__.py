"""How executions start: webhooks, schedules, events."""
