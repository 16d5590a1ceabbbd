"""The self-hosted host: HTTP, scheduler, events, history.

`serving.serve` serves compiled workflows, `dev.serve` a project that is being worked on.
"""
