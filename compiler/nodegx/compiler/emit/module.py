"""The whole module of a handler."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.graph import Graph, GraphNode
from nodegx.compiler.naming import Naming
from nodegx.compiler.printer import Verbatim, print_module
from nodegx.compiler.scopes import Scopes
from nodegx.compiler.sourcemap import Span
from nodegx.compiler.structure.layout import Layout
from nodegx.compiler.tree import Function
from nodegx.runtime.node import Retry, Settings

from .arguments import Keyword, constant, node_declaration, retry_policy
from .keys import key_functions
from .reading import Reading
from .statements import Writer
from .syntax import assign, call
from .usercode import UserFunction, user_function
from .values import Values
from .variables import settle

CODE_TYPE = "code.python"
BLANK = "nodegx_blank"
"""Attribute of a statement: True asks for an empty line before it."""


@dataclass(frozen=True, slots=True)
class Module:
    """A handler: the name of its function, its text, and which of the lines belong to which
    node."""

    function: str
    text: str
    spans: tuple[Span, ...]


def emit(graph: Graph, tree: Function, layout: Layout) -> Module:
    """The module of a handler.

    Args:
        graph: the workflow.
        tree: its control flow.
        layout: the flow that `tree` was built from; it tells which values exist where.

    Raises:
        DiagnosticError: with everything that is wrong in expressions and code.
    """
    naming = Naming(graph)
    scopes = Scopes(layout)
    found: list[Diagnostic] = []
    code = _user_functions(graph, scopes, naming, found)
    values = Values(Reading(graph, scopes, naming))
    writer = Writer(graph, scopes, naming, values, code)
    handler = writer.handler(tree)
    found += values.found
    keys = dict(key_functions(graph, naming, found))
    if found:
        raise DiagnosticError(found)
    handler.decorator_list.append(_decorator(graph, keys))
    settle(handler)
    body: list[ast.stmt] = [
        ast.Expr(ast.Constant(_docstring(graph))),
        *_pragmas(handler, writer),
        *_imports(graph, writer, handler, code),
        *_constants(graph, writer),
        *(made.definition for made in code.values()),
        handler,
    ]
    printed = print_module(ast.Module(body, []))
    return Module(naming.handler, printed.text, printed.spans)


def _user_functions(
    graph: Graph, scopes: Scopes, naming: Naming, found: list[Diagnostic]
) -> dict[str, UserFunction]:
    """The functions of code nodes that run at all, by node in file order."""
    made: dict[str, UserFunction] = {}
    for node in graph.nodes.values():
        if node.type.type != CODE_TYPE or not scopes.reached(node.id):
            continue
        try:
            name = naming.unique(f"{naming.variable(node.id)}_code")
            made[node.id] = user_function(node, name)
        except DiagnosticError as error:
            found += error.diagnostics
    return made


# ----------------------------------------------------------------------------------- header


def _docstring(graph: Graph) -> str:
    title = graph.name.rsplit("/", 1)[-1]
    source = f" from {_plain(graph.source)}" if graph.source else ""
    return f"{title}\n\nCompiled by nodegx{source}. Edit the workflow, not this file.\n"


def _plain(text: str) -> str:
    """Text without what a docstring would not take."""
    return "".join(c if c.isalnum() or c in " ._-/#+()[]" else "_" for c in text)


def _pragmas(handler: ast.AST, writer: Writer) -> list[ast.stmt]:
    """What linters have to be told."""
    lines: list[str] = []
    parts = list(ast.walk(handler))
    if any(isinstance(part, ast.ExceptHandler) for part in parts):
        lines.append("# ruff: noqa: BLE001 (a workflow may handle whatever goes wrong)")
    if writer.modules - {part.id for part in parts if isinstance(part, ast.Name)}:
        lines.append("# ruff: noqa: F401 (`run.wait` asks over HTTP)")
    return [Verbatim(lines)] if lines else []


def _imports(
    graph: Graph, writer: Writer, handler: ast.AST, code: dict[str, UserFunction]
) -> list[ast.stmt]:
    """What the code reads, sorted."""
    bodies = [handler, *(made.definition for made in code.values())]
    read = {part.id for body in bodies for part in ast.walk(body) if isinstance(part, ast.Name)}
    declared = [graph.nodes[node] for node in writer.constants]
    core = {"Run", "workflow"}
    if declared:
        core.add("Node")
    if "Retry" in read or any(node.retry for node in declared):
        core.add("Retry")
    imports: list[ast.stmt] = []
    if "Any" in read:
        imports.append(_import("typing", "Any"))
    imports.append(_import("nodegx.runtime", *sorted(core)))
    for first in (imports[0], imports[-1]):
        setattr(first, BLANK, True)
    if "fx" in read:
        alias = ast.alias("expressions", "fx")
        imports.append(ast.ImportFrom("nodegx.runtime", [alias], 0))
    if writer.modules:
        imports.append(_import("nodegx.runtime.nodes", *sorted(writer.modules)))
    return imports


def _import(module: str, *names: str) -> ast.stmt:
    return ast.ImportFrom(module, [ast.alias(name) for name in names], 0)


def _constants(graph: Graph, writer: Writer) -> list[ast.stmt]:
    """The declarations of nodes, in file order."""
    used: list[GraphNode] = [node for node in graph.nodes.values() if node.id in writer.constants]
    return [assign(writer.naming.constants[node.id], node_declaration(node)) for node in used]


def _decorator(graph: Graph, keys: Mapping[str, ast.expr]) -> ast.expr:
    """`@workflow(…)` with the settings that are not the defaults, and keys by trigger."""
    keywords: list[Keyword] = []
    for name, default in Settings._field_defaults.items():
        value = getattr(graph.settings, name)
        if value == default:
            continue
        code = retry_policy(value) if isinstance(value, Retry) else constant(value)
        keywords.append((name, code))
    if keys:
        named = ast.Dict([ast.Constant(trigger) for trigger in keys], list(keys.values()))
        keywords.append(("keys", named))
    return call("workflow", constant(graph.name), keywords=keywords)
