"""The same operation on many executions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nodegx.runtime.durable.state import RunStatus
from nodegx.runtime.errors import NodegxError, StoreUnavailable

from .cancel import cancel
from .discard import discard
from .going_on import go_on
from .migrate import MOVABLE, migrate
from .operator import Operator, Outcome
from .resume import resume
from .retry import retry


def redrive(operator: Operator, id: str) -> Outcome:
    """Lets a dead letter try again: a durable one goes on where it failed, another one starts
    anew.

    Raises:
        Refusal: it has not failed, or what it began with is not known.
    """
    kept = operator.runs.load(id)
    if kept is not None and kept.state.durable:
        return resume(operator, id)
    return retry(operator, id)


class Action(NamedTuple):
    """An operation by name: what does it, and the statuses that it is for."""

    operation: Callable[..., Outcome]
    statuses: tuple[RunStatus, ...]


_FAILED = (RunStatus.FAILED,)

ACTIONS: Mapping[str, Action] = {
    "retry": Action(retry, _FAILED),
    "resume": Action(resume, _FAILED),
    "redrive": Action(redrive, _FAILED),
    "go-on": Action(go_on, (RunStatus.WAITING,)),
    "cancel": Action(cancel, (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.RUNNING)),
    "migrate": Action(migrate, MOVABLE),
    "discard": Action(discard, _FAILED),
}


class Result(NamedTuple):
    """What came of an operation on one of many executions: an outcome, or why there is none."""

    id: str
    outcome: Outcome | None
    error: NodegxError | None = None


def apply(
    operator: Operator,
    action: str,
    ids: Iterable[str],
    *,
    lease: float | None = None,
    **options: Any,
) -> Iterator[Result]:
    """Does the same to several executions, one after the other, and tells what came of each.

    Args:
        operator: who does it, and where.
        action: a name in `ACTIONS`.
        ids: the executions.
        lease: seconds for which this process keeps what it has claimed, to be prolonged during
            long work; None where somebody else sees to that.
        options: arguments of the operation.

    Raises:
        StoreUnavailable: a store cannot be reached; the rest has not been touched.
    """
    operation = ACTIONS[action].operation
    beaten = 0.0
    for id in ids:
        if lease is not None and operator.clock() - beaten > lease / 3:
            beaten = operator.clock()
            operator.runs.beat(lease)
        try:
            yield Result(id, operation(operator, id, **options))
        except StoreUnavailable:
            raise
        except NodegxError as error:
            yield Result(id, None, error)
