"""Executions that outlive their process: they wait for days at no cost, and survive crashes.

A durable execution writes the outcome of each step to a journal before it goes on. After a wait or
a crash its handler runs again from the top; steps that the journal knows return what they returned
then, so that the handler arrives where it was (see `execution`). Workflows that are not durable
never import this package.
"""
