"""Writes compiled workflows to disk: handlers, manifests, source maps and the runtime they need.

Nothing here imports the compiler's passes until a workflow really has to be compiled, so that
finding a thousand workflows unchanged costs no more than reading them.
"""
