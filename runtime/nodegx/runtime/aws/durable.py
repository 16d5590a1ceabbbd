"""Binds workflows whose executions may outlive an invocation: they wait for days, go on after a
crash, and work on when their caller has been answered.

The compiler writes one of these around the triggers of such a workflow, so that the bundles of all
others do without what it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from nodegx.runtime.values import Trigger
from nodegx.runtime.workflow import Workflow

from .adapter import Adapter, Handler, Process, mark_of
from .buffered import BufferedRuns
from .entry import bound, callee
from .passes import AnsweringPass, Pass, PassingPass
from .resuming import Resuming
from .surroundings import Settings, Surroundings

if TYPE_CHECKING:
    from .context import Context

OWN = "/_nodegx/"
"""What paths begin with that no trigger has."""
PATIENT = 900.0
"""Seconds for which executions that are not durable wait in memory: as long as they can."""


def durable(first: Adapter, *others: Adapter, labels: Mapping[str, str] | None = None) -> Handler:
    """One handler for the triggers of a durable workflow, and for what wakes its executions.

    Args:
        first: a trigger.
        others: further ones.
        labels: headings of forms that have none, by the ids of the nodes that wait for them.
    """
    surroundings = _surroundings(first)
    for adapter in (first, *others):
        adapter.make = partial(_begin, Pass, surroundings)
        adapter.make_answering = partial(_begin, AnsweringPass, surroundings)
    first.host.status_of = surroundings.status
    return Function(first, others, surroundings, labels or {})


def continued(first: Adapter, *others: Adapter) -> Handler:
    """The same for a workflow that is not durable, but goes on after it has answered: a request
    has its answer at once, and the rest is done in an invocation of its own."""
    surroundings = _surroundings(first, hold=PATIENT)
    surroundings.runs = BufferedRuns(surroundings.runs, surroundings.writer, surroundings.store)
    for adapter in (first, *others):
        adapter.make_answering = partial(_begin, PassingPass, surroundings)
    first.host.status_of = surroundings.status
    return Function(first, others, surroundings, {})


class Function:
    """What Lambda calls.

    Args:
        first: a trigger.
        others: further ones.
        surroundings: those of the executions.
        labels: see `durable`.
    """

    def __init__(
        self,
        first: Adapter,
        others: tuple[Adapter, ...],
        surroundings: Surroundings,
        labels: Mapping[str, str],
    ) -> None:
        self._handler = bound(first, *others) if others else first
        self._process = Process.get()
        self._surroundings = surroundings
        self._labels = labels
        self._is_durable = first.workflow.settings.durable
        self._resuming = Resuming(callee(first, *others), surroundings, self._process.host)
        self._web: Handler | None = None

    def __call__(self, event: Any, context: Context | None) -> Any:
        """Handles one invocation."""
        self._process.host.begin(context)
        self._surroundings.begin(context)
        mark = mark_of(event)
        path: Any = event.get("rawPath")
        if isinstance(path, str) and path.startswith(OWN):  # never a call, whatever follows
            return self._resume_urls(event, context)
        if "resume" in mark:
            return self._run(self._resuming.resume(mark["resume"]["execution"]))
        if "sweep" in mark:
            return self._run(self._resuming.sweep())
        given: Mapping[str, Any] = mark.get("call") or {}
        id: str | None = given.get("execution")
        if id is not None and self._is_durable:
            status = self._run(self._surroundings.status(id))
            if status is not None:  # Lambda may deliver an event twice
                return {"status": status, "output": None, "error": None, "execution": id}
        return self._handler(event, context)

    def _run(self, work: Any) -> Any:
        return self._process.loop.run_until_complete(work)

    def _resume_urls(self, event: Any, context: Context | None) -> Any:
        if self._web is None:
            from .resume_http import resume_urls

            self._web = resume_urls(self._surroundings, self._labels)
        return self._web(event, context)


def _surroundings(adapter: Adapter, **options: float) -> Surroundings:
    return Surroundings(adapter.host, adapter.workflow.name, Settings.read(), **options)


def _begin(
    kind: type[Pass],
    surroundings: Surroundings,
    workflow: Workflow,
    trigger: Trigger,
    host: object,
    **options: Any,
) -> Pass:
    """A new execution."""
    del host  # durable executions have more around them
    return kind(workflow, trigger, surroundings, owner=surroundings.store.host, **options)
