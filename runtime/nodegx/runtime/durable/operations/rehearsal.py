"""Compares journals with code by leading a handler through them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import copy

from nodegx.runtime.durable.store import Kept
from nodegx.runtime.limits import Gate
from nodegx.runtime.workflow import Workflow

from .operator import CODE, Refusal
from .target import Replay, Target

FindWorkflow = Callable[[Target], Workflow | None]


def rehearsal(find: FindWorkflow, secrets: Mapping[str, str]) -> Replay:
    """The comparison for `Operator.replay`. It blocks, and so is not for an event loop's thread.

    Args:
        find: loads the code of a target; None where it cannot be had.
        secrets: all secrets by name; journals refer to them.
    """

    def replay(target: Target, kept: Kept) -> str | None:
        from nodegx.runtime.durable.replay import check

        workflow = find(target)
        if workflow is None:
            raise Refusal(CODE, f"The code of revision {target.revision} cannot be loaded")
        alone = copy(workflow)  # it must not wait for its turn, nor keep others from theirs
        alone.gate = Gate(None)
        return asyncio.run(check(alone, kept, secrets))

    return replay
