"""How executions start: webhooks, schedules, events, typed inputs.

Standard library only at import; what a trigger needs beyond it is imported when first used.
"""
