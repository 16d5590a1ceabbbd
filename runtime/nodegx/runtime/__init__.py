"""Runs compiled workflows in any Python process.

Handlers import `Node`, `Retry`, `Run` and `workflow` from here; hosts use
`nodegx.runtime.execution`.
"""

from .node import Node, Retry, Settings
from .run import Run
from .values import ForEachResult, Reply, Trigger
from .workflow import Workflow, workflow

__all__ = [
    "ForEachResult",
    "Node",
    "Reply",
    "Retry",
    "Run",
    "Settings",
    "Trigger",
    "Workflow",
    "workflow",
]
