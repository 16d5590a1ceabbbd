"""The first pass: the document against the format, keeping whatever can be checked further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from nodegx.compiler.diagnostics import Pointer
from nodegx.compiler.model import Bundle, Connection, NodeSpec, Settings, WorkflowFile, WorkflowSpec
from pydantic import BaseModel, ValidationError

from .findings import Findings
from .model_errors import report

M = TypeVar("M", bound=BaseModel)

ROOT_HINT = 'a workflow starts as {"name": "/#__cloud__/Hello", "nodes": […], "connections": […]}'


@dataclass(slots=True)
class Draft:
    """What could be read of one workflow. `spec` is None where any part of it is wrong; the other
    fields then hold the parts that are right, with their index in the file. `broken` are the ids
    of nodes that exist but cannot be checked further."""

    pointer: Pointer
    spec: WorkflowSpec | None = None
    name: str | None = None
    settings: Settings = field(default_factory=Settings)
    nodes: list[tuple[int, NodeSpec]] = field(default_factory=list[tuple[int, NodeSpec]])
    connections: list[tuple[int, Connection]] = field(default_factory=list[tuple[int, Connection]])
    broken: set[str] = field(default_factory=set[str])


def read_drafts(data: Any, findings: Findings) -> list[Draft]:
    """The workflows of a document, one or several."""
    if not isinstance(data, dict):
        findings.error("NX203", "a workflow file holds one JSON object", (), hint=ROOT_HINT)
        return []
    document = cast("dict[str, Any]", data)
    if "components" not in document:
        return [_draft(WorkflowFile, document, (), findings)]
    return _bundle(document, findings)


def _bundle(document: dict[str, Any], findings: Findings) -> list[Draft]:
    components: Any = document["components"]
    if not isinstance(components, list) or not components:
        _validate(Bundle, document, (), findings)
        return []
    shell: dict[str, Any] = {**document, "components": [{"name": "_", "nodes": []}]}
    _validate(Bundle, shell, (), findings)
    drafts: list[Draft] = []
    for index, component in enumerate(cast("list[Any]", components)):
        pointer = ("components", index)
        if isinstance(component, dict):
            found = cast("dict[str, Any]", component)
            drafts.append(_draft(WorkflowSpec, found, pointer, findings))
        else:
            findings.error("NX203", "a workflow is an object", pointer, hint=ROOT_HINT)
    return drafts


def _draft(
    model: type[WorkflowSpec], data: dict[str, Any], pointer: Pointer, findings: Findings
) -> Draft:
    spec, wrong = _validate(model, data, pointer, findings)
    if spec is not None:
        return Draft(
            pointer,
            spec,
            spec.name,
            spec.settings,
            list(enumerate(spec.nodes)),
            list(enumerate(spec.connections)),
        )
    draft = Draft(pointer)
    if ("name",) not in wrong and "name" in data:
        draft.name = data["name"]
    settings: Any = data.get("settings")
    if isinstance(settings, dict):
        kept = cast("dict[str, Any]", settings).items()
        right = {key: value for key, value in kept if ("settings", key) not in wrong}
        draft.settings = Settings.model_validate(right)
    for index, node in _entries(data.get("nodes")):
        if ("nodes", index) not in wrong:
            draft.nodes.append((index, NodeSpec.model_validate(node)))
        else:
            _salvage(draft, index, node, wrong)
    for index, wire in _entries(data.get("connections")):
        if ("connections", index) not in wrong:
            draft.connections.append((index, Connection.model_validate(wire)))
    return draft


def _salvage(draft: Draft, index: int, node: Any, wrong: set[Pointer]) -> None:
    """Keeps a node of which only lesser parts are wrong, so that its parameters are checked too."""
    if not isinstance(node, dict):
        return
    parts = cast("dict[str, Any]", node)
    node_id, parameters = parts.get("id"), parts.get("parameters", {})
    if not isinstance(node_id, str) or ("nodes", index, "id") in wrong:
        return
    if ("nodes", index, "type") in wrong or "type" not in parts or not isinstance(parameters, dict):
        draft.broken.add(node_id)
        return
    members = cast("dict[str, Any]", parameters)
    found = NodeSpec(id=node_id, type=parts["type"], parameters=members)
    draft.nodes.append((index, found))


def _validate(
    model: type[M], data: Mapping[str, Any], pointer: Pointer, findings: Findings
) -> tuple[M | None, set[Pointer]]:
    """The model, or None and the pointers (with all that lead to them) of what is wrong."""
    try:
        return model.model_validate(data), set()
    except ValidationError as exc:
        places = report(exc, model, data, pointer, findings)
        return None, {place[:end] for place in places for end in range(len(place) + 1)}


def _entries(value: Any) -> list[tuple[int, Any]]:
    return list(enumerate(cast("list[Any]", value))) if isinstance(value, list) else []
