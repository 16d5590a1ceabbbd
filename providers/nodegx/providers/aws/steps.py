"""What the engine reports of an operation, as data that crosses from its process to ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Phase = Literal["start", "done", "failed"]

QUIET = frozenset({"same", "read", "read-discard", "discard", "refresh", "remove-pending-replace"})
"""Operations that change nothing in the cloud."""
LONGEST = 2_000
"""Characters of a value that are kept."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, or would happen, to a resource.

    Args:
        phase: whether it begins, is done or has failed.
        op: `create`, `update`, `delete`, `replace`, `same`, … as the engine calls it.
        urn: of the resource.
        type: such as `aws:lambda/function:Function`.
        id: of the resource in the cloud; "" before it has one.
        parent: URN of the component it belongs to; "" for none.
        protect: whether it must not be deleted.
        diffs: names of the properties that change, with dots.
        old: their values before, as far as they are known.
        new: their values after.
    """

    phase: Phase
    op: str
    urn: str
    type: str
    id: str = ""
    parent: str = ""
    protect: bool = False
    diffs: tuple[str, ...] = ()
    old: Mapping[str, Any] = field(default_factory=dict[str, Any])
    new: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def kind(self) -> str:
        """Its type as people read it: `lambda.Function`, `nodegx.Workflow`."""
        package, _, rest = self.type.partition(":")
        module, _, last = rest.rpartition(":")
        return f"{package if package == 'nodegx' else module.partition('/')[0]}.{last}"

    @property
    def is_component(self) -> bool:
        """Whether it only groups others."""
        return self.type.startswith(("nodegx:", "pulumi:"))

    @property
    def changes(self) -> bool:
        """Whether anything becomes different by it."""
        return self.op not in QUIET

    def to_json(self) -> dict[str, Any]:
        """The step as JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        """The step that `to_json` made `data` of."""
        given: dict[str, Any] = {**data, "diffs": tuple(data["diffs"])}
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Message:
    """Something the engine or the program has to say."""

    severity: Literal["info", "warning", "error"]
    text: str
    urn: str = ""


@dataclass(slots=True)
class Outcome:
    """What became of an operation.

    Args:
        steps: those that were done or, in a preview, would be.
        messages: warnings and errors.
        outputs: of the stack.
        changes: how many resources each operation was done to.
        seconds: wall time.
    """

    steps: list[Step] = field(default_factory=list[Step])
    messages: list[Message] = field(default_factory=list[Message])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    changes: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0

    @property
    def changed(self) -> int:
        """How many resources became different."""
        return sum(count for op, count in self.changes.items() if op not in QUIET)


def shortened(value: Any) -> Any:
    """A value as it is kept: long texts are cut."""
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}…"
    return value
