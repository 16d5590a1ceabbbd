"""The lowered workflow: every default filled in, every name resolved, wires as references.

`lower` makes it from the checked model; `structure` and `emit` read nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegx.runtime.catalog.types import Kind, NodeType, Output
from nodegx.runtime.node import Retry, Settings

from .diagnostics import Pointer
from .expressions.syntax import Template


@dataclass(frozen=True, slots=True)
class PortRef:
    """A data wire: the value of `node`'s output `port`."""

    node: str
    port: str


@dataclass(frozen=True, slots=True)
class ListValue:
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class DictValue:
    items: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """JSON without any template inside it."""

    value: Any


Value = Literal | Template | PortRef | ListValue | DictValue


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node ready for code.

    `name` is its name in expressions, unique in the workflow. `params` are in the order of their
    declarations, defaults filled in where there are any. `call` is the implementation, as the
    catalog spells it, or None for what the compiler expands. `signals` are all signal outputs it
    may send, dynamic ones included; `routed` says that an action chooses among outputs of its own.
    `index` is its place in the file: the tie-breaker wherever order is free.
    """

    id: str
    name: str
    type: NodeType
    params: Mapping[str, Value]
    pointer: Pointer
    label: str = ""
    signals: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout: float | None = None
    index: int = 0
    call: str | None = None
    routed: bool = False
    wired: Mapping[str, Pointer] = field(default_factory=dict[str, Pointer])

    def param_pointer(self, param: str) -> Pointer:
        """Where the value of `param` stands in the document."""
        return self.wired.get(param, (*self.pointer, "parameters", param))

    def literal(self, param: str) -> Any:
        """The plain value of a parameter; None where it is absent or known only at run time."""
        value = self.params.get(param)
        return value.value if isinstance(value, Literal) else None

    def is_default(self, param: str) -> bool:
        """Whether a parameter is what its declaration says anyway."""
        declared = self.type.param(param)
        value = self.params.get(param)
        if declared is None or not isinstance(value, Literal):
            return False
        return same_json(value.value, declared.default)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The data outputs that a node with these parameters has."""
        listed = self.type.outputs
        return tuple(one for one in listed if one.given is None or one.given in self.params)

    @property
    def is_pure(self) -> bool:
        """Whether the node is an expression at its consumers."""
        return self.type.kind is Kind.PURE


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole workflow. `wires[node][port]` are the targets of a signal, in file order. `calls` and
    `emits` are the workflows and events that nodes name, None standing for names that only the run
    will tell. `suspends` holds where a run may wait for long."""

    name: str
    slug: str
    nodes: Mapping[str, GraphNode]
    triggers: tuple[str, ...]
    wires: Mapping[str, Mapping[str, tuple[str, ...]]]
    settings: Settings
    source: str = ""
    description: str = ""
    pure: Mapping[str, GraphNode] = field(default_factory=dict[str, GraphNode])
    calls: tuple[str | None, ...] = ()
    emits: tuple[str | None, ...] = ()
    suspends: bool = False

    def everything(self) -> Iterator[GraphNode]:
        """All nodes, pure ones included, in file order."""
        yield from sorted((*self.nodes.values(), *self.pure.values()), key=lambda node: node.index)

    def find(self, node: str) -> GraphNode | None:
        """A node by its id, pure or not."""
        return self.nodes.get(node) or self.pure.get(node)


def member(value: Value | None, key: str) -> Value | None:
    """The value of a key of an object; None where there is none, or only the run will tell."""
    match value:
        case Literal(value=dict()):
            members: dict[str, Any] = value.value
            return Literal(members[key]) if key in members else None
        case DictValue(items=items):
            return dict(items).get(key)
        case _:
            return None


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; 1 and true are not, a list and a tuple are."""
    if isinstance(one, tuple):
        one = list(one)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if isinstance(other, tuple):
        other = list(other)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
