"""Writes workflow documents."""

from __future__ import annotations

from typing import Any

NAME = "/#__cloud__/Drawn"
CALLEES = ("/#__cloud__/Double", "/#__cloud__/Picky")
TOP = 6
GOLDEN = 0.618033988749895


def callees() -> list[dict[str, Any]]:
    """The workflows that generated ones call: one that always answers, one that fails for `n` over
    3."""
    double, picky = Builder(CALLEES[0]), Builder(CALLEES[1])
    for builder in (double, picky):
        builder.add("trigger.manual", {}, id="start")
    double.add("cloud.response", {"body": {"n": "{{ (start.n * 2) % 7 }}"}}, id="answer")
    double.wire("start", "started", "answer")
    picky.add("logic.if", {"condition": "{{ start.n > 3 }}"}, id="big")
    picky.add("logic.stop", {"status": "error", "message": "too big"}, id="refuse")
    picky.add("cloud.response", {"body": {"n": "{{ start.n }}"}}, id="answer")
    picky.wire("start", "started", "big")
    picky.wire("big", "true", "refuse")
    picky.wire("big", "false", "answer")
    return [double.document(), picky.document()]


class Builder:
    """Writes a workflow document."""

    def __init__(self, name: str = NAME, settings: dict[str, Any] | None = None) -> None:
        self.name = name
        self.settings = settings or {}
        self.nodes: list[dict[str, Any]] = []
        self.connections: list[dict[str, str]] = []
        self.waits = 0

    def add(self, type: str, parameters: dict[str, Any], *, id: str = "", **more: Any) -> str:
        """Adds a node and returns its id."""
        node = id or f"{type.rpartition('.')[2].lower()}{len(self.nodes)}"
        self.nodes.append({"id": node, "type": type, "parameters": parameters, **more})
        return node

    def type(self, node: str) -> str:
        """The type of a node that has been added."""
        return next(each["type"] for each in self.nodes if each["id"] == node)

    def wire(self, source: str, port: str, target: str, target_port: str = "run") -> None:
        """Adds a connection."""
        self.connections.append(
            {
                "sourceId": source,
                "sourcePort": port,
                "targetId": target,
                "targetPort": target_port,
            }
        )

    def moment(self) -> float:
        """A duration in seconds unlike any other of this workflow."""
        self.waits += 1
        return round(0.01 + (self.waits * GOLDEN) % 1 / 10, 6)

    def document(self) -> dict[str, Any]:
        """The workflow."""
        return {
            "name": self.name,
            **({"settings": self.settings} if self.settings else {}),
            "nodes": self.nodes,
            "connections": self.connections,
        }
