"""From a graph of signals to nested statements.

What the wires mean:

- Outputs of one node exclude one another. A node may be reached from several of them, directly or
  through others: it follows behind the construct whose branches meet in it, or, where only some of
  them do, becomes a local function that they call. No node's code stands twice.
- Several wires from one output start branches that run at the same time. They may meet only at a
  `logic.merge`. Branches that share no merge have nothing to do with each other; the ones that do
  are joined there and go on as one. A branch that ends, or goes elsewhere, stops short of the merge.
- The body of `logic.forEach` and `logic.retry` and the `finally` of `logic.try` are what only they
  reach; no wire leads out of them. What `try` or `catch` alone reach is guarded; a node reached from
  both, or from elsewhere too, follows after `finally`. A signal that ends inside goes on at `done`.

How it is done:

1. `flow`: a graph of vertices with everything implicit made explicit.
2. `order`: topological order and dominators (Cooper, Harvey, Kennedy 2001). Circles end here.
3. `regions`: bodies are closed, ends lead to what follows.
4. `forks`: which concurrent branches meet where.
5. `layout`, `choice`, `builder`: the dominator tree becomes nested statements, after Norman Ramsey,
   "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow"
   (ICFP 2022), with functions and `return` in the place of labelled blocks and branches.

All passes are linear or nearly so in the number of nodes and wires, and none recurses deeper than
the nesting of the resulting code, which is limited.
"""

from __future__ import annotations

from nodegx.compiler.diagnostics import DiagnosticError
from nodegx.compiler.graph import Graph
from nodegx.compiler.tree import Function

from . import problems
from .builder import Builder
from .flow import MAX_ALTERNATIVES, Flow, Shape, crowded, flow_of
from .forks import resolve
from .layout import Layout, lay_out
from .order import CycleError, Dominators, dominators
from .regions import check_closed, close
from .results import results


def structure(graph: Graph, layout: Layout | None = None) -> Function:
    """The handler of a workflow as nested statements.

    Args:
        graph: the workflow.
        layout: its flow, if it has been analysed already.

    Raises:
        DiagnosticError: with a finding (NX5xx) for every place where the drawing has no structure,
            as far as they can be told apart.
    """
    return Builder(layout or analyse(graph), results(graph)).build()


def analyse(graph: Graph) -> Layout:
    """The flow of a workflow, checked and measured.

    Raises:
        DiagnosticError: circles, bodies that are left, branches that meet without a merge.
    """
    wide = [problems.too_many(graph, node, what, MAX_ALTERNATIVES) for node, what in crowded(graph)]
    if wide:
        raise DiagnosticError(wide)
    flow = flow_of(graph)
    tree = _dominators(flow)
    check_closed(flow, tree)
    if any(vertex.shape is Shape.FORK for vertex in flow.vertices.values()):
        resolve(flow, tree)
        tree = _dominators(flow)
    frames, ends = close(flow, tree)
    return lay_out(flow, tree, frames, ends)


def _dominators(flow: Flow) -> Dominators:
    try:
        return dominators(flow)
    except CycleError as exc:
        nodes = list(dict.fromkeys(flow.name(key) for key in exc.path))
        raise DiagnosticError([problems.cycle(flow.graph, nodes)]) from None
