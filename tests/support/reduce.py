"""Makes a workflow that shows a fault smaller while it still shows the fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

Document = dict[str, Any]
PLAIN = {"value": {"n": 1}}


def reduced(
    document: Document, shows: Callable[[Document], bool], *, seconds: float = 20.0
) -> Document:
    """The smallest workflow found within a time that still shows the fault.

    Args:
        document: a workflow that shows it.
        shows: whether a workflow shows it; must not raise.
        seconds: how long to look.
    """
    end = monotonic() + seconds
    found = True
    while found:
        found = False
        for smaller in _smaller(document):
            if monotonic() > end:
                return document
            if shows(smaller):
                document, found = smaller, True
                break
    return document


def _smaller(document: Document) -> Iterator[Document]:
    """Workflows with one node, one wire or one parameter less, the boldest cuts first."""
    nodes, wires = document["nodes"], document["connections"]
    for node in nodes[1:]:
        rest = [other for other in nodes if other is not node]
        for kept in _without(node["id"], wires):
            yield {**document, "nodes": rest, "connections": kept}
    for wire in wires:
        yield {**document, "connections": [other for other in wires if other is not wire]}
    for at, node in enumerate(nodes):
        for simpler in _simpler(node):
            yield {**document, "nodes": [*nodes[:at], simpler, *nodes[at + 1 :]]}


def _without(node: str, wires: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """The wires when a node is gone: cut off, or led on to where one of its outputs went."""
    into = [wire for wire in wires if wire["targetId"] == node]
    out = [wire for wire in wires if wire["sourceId"] == node]
    rest = [wire for wire in wires if wire not in into and wire not in out]
    yield rest
    for port in sorted({wire["sourcePort"] for wire in out}):
        led = [
            {**wire, "targetId": on["targetId"], "targetPort": on["targetPort"]}
            for wire in into
            for on in out
            if on["sourcePort"] == port
        ]
        yield rest + [wire for at, wire in enumerate(led) if wire not in rest + led[:at]]


def _simpler(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for extra in ("retry", "timeout"):
        if extra in node:
            yield {key: value for key, value in node.items() if key != extra}
    match node["type"]:
        case "data.set" if node["parameters"] != PLAIN:
            yield {**node, "parameters": PLAIN}
        case "code.python" | "workflow.call" | "cloud.response" | "logic.wait":
            yield {**node, "type": "data.set", "parameters": PLAIN}
        case "logic.forEach":
            for name in sorted(node["parameters"].keys() - {"items"}):
                rest = {key: value for key, value in node["parameters"].items() if key != name}
                yield {**node, "parameters": rest}
        case _:
            pass
