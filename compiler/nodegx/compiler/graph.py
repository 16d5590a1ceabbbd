"""The lowered workflow: every default filled in, every name resolved, wires as references.

`lower` makes it from the checked model; `structure` and `emit` read nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegx.runtime.catalog.types import NodeType
from nodegx.runtime.node import Retry

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
    """A node ready for code. `name` is its Python variable and its name in expressions, unique in
    the workflow. `signals` are all signal outputs it may send, dynamic ones included."""

    id: str
    name: str
    type: NodeType
    params: Mapping[str, Value]
    pointer: Pointer
    label: str = ""
    signals: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout: float | None = None
    index: int = 0  # place in the file: the tie-breaker wherever order is free


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole workflow. `wires[node][port]` are the targets of a signal, in file order."""

    name: str
    slug: str
    nodes: Mapping[str, GraphNode]
    triggers: tuple[str, ...]
    wires: Mapping[str, Mapping[str, tuple[str, ...]]]
    settings: Any
    source: str = ""
    pure: Mapping[str, GraphNode] = field(default_factory=dict[str, GraphNode])
