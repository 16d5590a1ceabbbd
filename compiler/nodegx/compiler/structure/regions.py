"""Regions: what belongs to the body of a loop, retry or try, and where its ends lead."""

from __future__ import annotations

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError

from . import problems
from .flow import CLOSED, FRAMES, Flow, Shape, Vertex, key_of
from .order import Dominators


def check_closed(flow: Flow, tree: Dominators) -> None:
    """Makes sure that no wire leads out of the body of a loop or retry, or out of `finally`.

    Raises:
        DiagnosticError: with one finding for each node outside that is reached from inside.
    """
    owner: dict[str, str | None] = {}
    wrong: dict[str, Diagnostic] = {}
    for key in tree.order:
        vertex = flow[key]
        closed = vertex.shape is Shape.REGION and vertex.port in CLOSED
        owner[key] = key if closed else owner.get(tree.parent.get(key, ""))
        region = owner[key]
        if region is None:
            continue
        for target in vertex.targets:
            if not tree.dominates(region, target) and target not in wrong:
                opened = flow[region]
                wrong[target] = problems.leaves_region(
                    flow.graph, flow.name(target), opened.node, opened.port, flow.name(key)
                )
    if wrong:
        raise DiagnosticError(list(wrong.values()))


def end_of(start: str) -> str:
    """Key of the vertex at which the function or region that starts at `start` ends."""
    return key_of(start, "end")


def close(flow: Flow, tree: Dominators) -> tuple[dict[str, str], dict[str, str]]:
    """Lets open ends lead to the end of what they are in: of the function, of `finally`, or, inside
    `try` and `catch`, to what `done` of the try is wired to, else out of the try.

    Returns:
        For every vertex the one that starts the function it is in, and the one that an end in its
        place leads to.
    """
    frames: dict[str, str] = {}
    ends: dict[str, str] = {}
    for key in tree.order:
        vertex = flow[key]
        parent = tree.parent.get(key, "")
        frames[key], ends[key] = frames.get(parent, ""), ends.get(parent, "")
        if _is_frame(vertex) or (vertex.port == "finally" and vertex.shape is Shape.REGION):
            if _is_frame(vertex):
                frames[key] = key
            end = flow.add(Vertex(end_of(key), Shape.END, vertex.node, vertex.port))
            tree.adopt(end.key, key)
            ends[key] = end.key
        elif vertex.shape is Shape.REGION:
            ends[key] = flow[vertex.node].target("done") or ends[parent]
        vertex.edges = [(label, target or ends[key]) for label, target in vertex.edges]
        if vertex.shape is Shape.PARALLEL and vertex.merge is None:
            vertex.edges.append(("ended", ends[key]))
    return frames, ends


def _is_frame(vertex: Vertex) -> bool:
    return vertex.shape in {Shape.ENTRY, Shape.BRANCH} or (
        vertex.shape is Shape.REGION and vertex.port in FRAMES
    )
