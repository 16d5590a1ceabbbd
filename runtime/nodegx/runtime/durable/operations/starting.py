"""New executions made of old ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.state import RunState
from nodegx.runtime.durable.store import Kept
from nodegx.runtime.durable.tokens import new_secret
from nodegx.runtime.history.record import ExecutionRecord, Status
from nodegx.runtime.ids import new_id
from nodegx.runtime.triggers.given import trigger_value

from . import faithful
from .operator import CODE, INPUT, Operator, Refusal
from .target import Target, TriggerPort

PLAIN = Codec({}, {})
"""Encodes what people give; there are no secrets in that which could be told apart."""


class Edited(NamedTuple):
    """An input that somebody has given in place of the original one, as JSON data in the form
    that `nodegx run --input` takes."""

    data: Any


class Origin(NamedTuple):
    """What is left of an execution: what the store of unfinished ones has (None if it has ended),
    and what the history has (None if it was not recorded)."""

    id: str
    kept: Kept | None
    record: ExecutionRecord | None

    @classmethod
    def of(cls, operator: Operator, id: str) -> Origin:
        """Looks for an execution.

        Raises:
            Refusal: nothing is left of it.
        """
        kept = operator.runs.load(id)
        record = operator.history.get(id) if kept is not None else operator.recorded(id)
        return cls(id, kept, record)

    @property
    def workflow(self) -> str:
        """Its workflow's full name."""
        return self._what.workflow

    @property
    def trigger(self) -> str:
        """The node that started it."""
        return self._what.trigger

    @property
    def parent(self) -> str | None:
        """The execution that called it."""
        return self._what.parent

    @property
    def _what(self) -> RunState | ExecutionRecord:
        if self.kept is not None:
            return self.kept.state
        assert self.record is not None
        return self.record


def port_of(target: Target, trigger: str) -> TriggerPort:
    """The trigger of that id in a workflow's current revision.

    Raises:
        Refusal: it has none.
    """
    port = target.triggers.get(trigger)
    if port is None:
        known = ", ".join(sorted(target.triggers)) or "none"
        raise Refusal(
            CODE, f"{target.workflow} has no trigger `{trigger}` any more; its triggers: {known}"
        )
    return port


def input_of(origin: Origin, target: Target, edited: Edited | None) -> str:
    """The trigger's value for a new execution, as text of `Codec`.

    Args:
        origin: the execution that it is taken from.
        target: the code that gets it.
        edited: takes its place.

    Raises:
        Refusal: the original value is not known, or of another type of trigger.
        InputError: the edited one does not fit the inputs that the trigger declares.
    """
    port = port_of(target, origin.trigger)
    if edited is not None:
        return PLAIN.encode(trigger_value(port.type, port.config, edited.data))
    if origin.kept is not None:
        was = origin.kept.state.trigger_type
        if was != port.type:
            raise Refusal(
                CODE,
                f"Its trigger `{origin.trigger}` was a {was} and is a {port.type} now; give it an"
                " edited input",
            )
        return origin.kept.state.input
    assert origin.record is not None
    try:
        return PLAIN.encode(faithful.trigger_value(port, origin.record.input))
    except faithful.Unfaithful as reason:
        raise Refusal(
            INPUT, f"Its input cannot be used again, because {reason}; give it an edited input"
        ) from None


def anew(operator: Operator, origin: Origin, target: Target, text: str, **audit: Any) -> RunState:
    """A new execution on the current revision.

    Args:
        operator: who makes it.
        origin: the execution that it is made of.
        target: its code.
        text: its trigger's value.
        audit: what is noted down of it, `action` among it.
    """
    state = origin.kept.state if origin.kept is not None else None
    return RunState(
        id=new_id(),
        workflow=target.workflow,
        revision=target.revision,
        trigger=origin.trigger,
        trigger_type=target.triggers[origin.trigger].type,
        input=text,
        started=operator.clock(),
        durable=target.durable,
        secret=new_secret(),
        parent=origin.parent,
        depth=0 if state is None else state.depth,
        audit=(operator.entry(**audit),),
    )


def announce(operator: Operator, state: RunState, ended: Sequence[ExecutionRecord] = ()) -> None:
    """Puts a new execution on record, before anybody can start it, and changes the records of
    others."""
    record = ExecutionRecord(
        state.id,
        state.workflow,
        state.trigger,
        Status(state.status.value),
        state.started,
        parent=state.parent,
        revision=state.revision,
        durable=state.durable,
        audit=json.dumps(state.audit),
    )
    operator.history.write([record], list(ended))
