"""What `check` hands to `lower`: the workflow with every name resolved and every value parsed.

Nothing in here needs checking again: types exist, wires lead from ports to ports, parameters have
the shape their declarations ask for, templates are parsed. What remains to be found out is the
flow: which node can see which (see the structure stage).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nodegx.runtime.catalog.types import NodeType
from nodegx.runtime.node import Retry

from .diagnostics import Diagnostic, Pointer
from .graph import Value
from .model import NodeSpec, Settings, WorkflowSpec
from .source import Source


@dataclass(frozen=True, slots=True)
class CheckedNode:
    """A node whose type is known and whose parameters fit it.

    `name` is its name in expressions, unique in the workflow. `params` holds what the file says,
    in the order of the declaration; parameters left out are absent. Strings with expressions are
    `Template`s, durations are seconds, data wires are `PortRef`s (to an output of the source's
    type, or to `error` of a node that can fail) and `wired` tells where such a wire stands in the
    document. A condition is a Literal boolean, a Template, or groups as a DictValue in the shape
    that `conditions` describes.
    `signals` are all signal outputs, declared ones first, then the dynamic ones (cases).
    """

    id: str
    name: str
    type: NodeType
    spec: NodeSpec
    pointer: Pointer
    index: int
    params: Mapping[str, Value]
    signals: tuple[str, ...]
    wired: Mapping[str, Pointer] = field(default_factory=dict[str, Pointer])
    retry: Retry | None = None
    timeout: float | None = None

    def param_pointer(self, param: str) -> Pointer:
        """Where the value of `param` stands in the document."""
        return self.wired.get(param, (*self.pointer, "parameters", param))


@dataclass(frozen=True, slots=True)
class CheckedWorkflow:
    """One workflow of a file. `pointer` is its place in the document: the root, or one of the
    `components`. `nodes` maps ids in file order; `wires[node][port]` are the targets of a signal
    in file order, `wire_pointers[source, port, target]` where each wire stands."""

    name: str
    slug: str
    spec: WorkflowSpec
    pointer: Pointer
    nodes: Mapping[str, CheckedNode]
    triggers: tuple[str, ...]
    wires: Mapping[str, Mapping[str, tuple[str, ...]]]
    wire_pointers: Mapping[tuple[str, str, str], Pointer]

    @property
    def settings(self) -> Settings:
        """The workflow's settings, defaults filled in."""
        return self.spec.settings


@dataclass(frozen=True, slots=True)
class Checked:
    """A whole file that compiles so far; `warnings` are worth showing but stop nothing."""

    source: Source
    workflows: tuple[CheckedWorkflow, ...]
    warnings: tuple[Diagnostic, ...] = ()
