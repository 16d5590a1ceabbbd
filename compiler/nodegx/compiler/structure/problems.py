"""What to tell people about drawings that have no structure."""

from __future__ import annotations

from collections.abc import Iterable

from nodegx.compiler.diagnostics import Diagnostic, printable
from nodegx.compiler.graph import Graph


def name(graph: Graph, node: str) -> str:
    """A node in a message: its id, and its label where it has one."""
    label = graph.nodes[node].label if node in graph.nodes else ""
    return f'"{printable(node)}" ({printable(label)})' if label else f'"{printable(node)}"'


def names(graph: Graph, nodes: Iterable[str], limit: int = 5) -> str:
    """Several nodes in a message: `"a", "b" and "c"`."""
    found = [f'"{printable(node)}"' for node in dict.fromkeys(nodes)]
    if len(found) > limit:
        found = [*found[:limit], f"{len(found) - limit} more"]
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else "a branch"


def _at(graph: Graph, node: str, code: str, message: str, hint: str) -> Diagnostic:
    pointer = graph.nodes[node].pointer if node in graph.nodes else ()
    return Diagnostic(code, message, pointer, hint, node or None)


def cycle(graph: Graph, nodes: list[str]) -> Diagnostic:
    """NX501: signals run in a circle."""
    ring = " → ".join(f'"{printable(node)}"' for node in [*nodes[:6], nodes[0]])
    return _at(
        graph,
        nodes[0],
        "NX501",
        f"these nodes lead back to themselves: {ring}",
        "remove one of the wires; to repeat nodes use logic.forEach or logic.retry",
    )


def meeting(graph: Graph, node: str, branches: Iterable[str], sources: Iterable[str]) -> Diagnostic:
    """NX502: concurrent branches meet where there is no merge."""
    return _at(
        graph,
        node,
        "NX502",
        f"{name(graph, node)} is reached by branches that run at the same time: those that start "
        f"at {names(graph, branches)}",
        f"put a logic.merge in front of {name(graph, node)} and wire {names(graph, sources)} to it",
    )


def leaves_region(graph: Graph, node: str, owner: str, port: str, source: str) -> Diagnostic:
    """NX503: a node belongs to a region and to something else."""
    after = {
        "iteration": f"wire `completed` of {name(graph, owner)} to what follows the loop",
        "attempt": f"wire `done` of {name(graph, owner)} to what follows the attempts",
        "finally": f"wire `done` of {name(graph, owner)} to what follows",
    }[port]
    return _at(
        graph,
        node,
        "NX503",
        f"{name(graph, node)} is reached from {name(graph, source)}, which belongs to `{port}` of "
        f"{name(graph, owner)}, and also from outside of it",
        after,
    )


def overlap(graph: Graph, merges: list[str], branches: Iterable[str]) -> Diagnostic:
    """NX504: merges whose branches are neither apart nor inside one another."""
    return _at(
        graph,
        merges[0],
        "NX504",
        f"the branches that start at {names(graph, branches)} overlap: none of the merges "
        f"{names(graph, merges)} brings all of them together in turn",
        "let every branch go to one merge, or merge some branches first and wire that merge to "
        "the next one",
    )


def outsider(graph: Graph, merge: str, source: str) -> Diagnostic:
    """NX505: a merge is reached through a node that is shared with something else."""
    return _at(
        graph,
        merge,
        "NX505",
        f"{name(graph, merge)} merges concurrent branches, but {name(graph, source)} leads to it "
        "both from one of these branches and from elsewhere",
        f"give the branch a copy of {name(graph, source)} of its own",
    )


def leaves_try(graph: Graph, owner: str, targets: Iterable[str]) -> Diagnostic:
    """NX506: a try goes on at several places."""
    return _at(
        graph,
        owner,
        "NX506",
        f"the nodes of {name(graph, owner)} go on at different places: {names(graph, targets)}; "
        "`finally` and what follows need one",
        f"let them end inside and wire `done` of {name(graph, owner)} to what follows, or decide "
        "there with a logic.if",
    )


def leaves_branch(graph: Graph, node: str, source: str) -> Diagnostic:
    """NX507: a concurrent branch leads out of the try (or further) it runs in."""
    return _at(
        graph,
        node,
        "NX507",
        f"{name(graph, node)} cannot follow here: a branch that runs beside others leads to it, "
        f"out of {name(graph, source)}",
        f"bring the branches together with a logic.merge before {name(graph, node)}",
    )


def never_done(graph: Graph, node: str, owner: str, goes_on: Iterable[str]) -> Diagnostic:
    """NX508: `done` of a try is wired but never sent."""
    return _at(
        graph,
        node,
        "NX508",
        f"{name(graph, node)} is wired to `done` of {name(graph, owner)}, which never follows: "
        f"its nodes go on at {names(graph, goes_on)}",
        f"wire `done` to {names(graph, goes_on)}, or let the nodes end inside the try",
    )


def too_deep(graph: Graph, node: str, where: str) -> Diagnostic:
    """NX509: more nesting than Python or people can read."""
    return _at(
        graph,
        node,
        "NX509",
        f"{name(graph, node)} lies {where}",
        "move the inner part into a workflow of its own and use workflow.call",
    )


def tangled(graph: Graph, node: str) -> Diagnostic:
    """NX510: shared steps with more than two ways on."""
    return _at(
        graph,
        node,
        "NX510",
        f"several branches share {name(graph, node)} and go on from there in more than two ways",
        f"let the branches meet in one node after {name(graph, node)}",
    )


def too_many(graph: Graph, node: str, what: str, limit: int) -> Diagnostic:
    """NX511: more alternatives than a statement should have."""
    return _at(
        graph,
        node,
        "NX511",
        f"at {name(graph, node)} there are more than {limit} {what}",
        "split the workflow, or decide in several steps",
    )
