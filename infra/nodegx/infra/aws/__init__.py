"""Components of a deployment on AWS, and the plans they are made from.

A program makes a `Project`, a `Workflow` for each workflow, and completes the project:

    project = Project("shop", home=Path(__file__).parent, http=True)
    Workflow(project, Function(slug="orders", workflow="Orders", timeout=35, triggers=(…)))
    project.complete()
"""

from nodegx.compiler.targets.aws.plan import (
    EventTrigger,
    FileTrigger,
    Function,
    HttpTrigger,
    ManualTrigger,
    QueueTrigger,
    RecordTrigger,
    ScheduleTrigger,
)

from .project import Project
from .workflow import Workflow

__all__ = [
    "EventTrigger",
    "FileTrigger",
    "Function",
    "HttpTrigger",
    "ManualTrigger",
    "Project",
    "QueueTrigger",
    "RecordTrigger",
    "ScheduleTrigger",
    "Workflow",
]
