"""Starts a workflow once for each key, however often the same arrives.

A key belongs to one trigger. Whoever claims it first runs the workflow; repeats get its answer, as
long as the key is remembered. Imported only where a trigger asks for it.
"""
