"""Variables that expressions read: those that the project declares, where a project is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nodegx.compiler.checked import CheckedNode
from nodegx.compiler.diagnostics import Pointer, quoted, suggestion
from nodegx.compiler.expressions import references
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import DictValue, ListValue, Value
from nodegx.compiler.project import Project

from .findings import Findings


def check_project_names(
    nodes: Mapping[str, CheckedNode], project: Project, findings: Findings
) -> None:
    """Notes every `vars.X` and `env.X` that the project does not have."""
    known: dict[str, tuple[Collection[str], str]] = {
        "vars": (project.vars, 'add it to "vars" in nodegx.json'),
        "env": (project.env, 'allow it in "env" in nodegx.json'),
    }
    for key, node in nodes.items():
        findings.node = key
        for name, value in node.params.items():
            for template, pointer in templates(value, node.param_pointer(name)):
                for found in references(template):
                    if found.root in known and found.path:
                        names, remedy = known[found.root]
                        variable = str(found.path[0])
                        if variable not in names:
                            close = suggestion(variable, sorted(names), f"{found.root} variables")
                            message = f"the project has no {quoted(variable)} in {found.root}"
                            hint = close if close.startswith("did") else remedy
                            findings.error(
                                "NX403", message, pointer, hint=hint, offset=found.offset
                            )
    findings.node = None


def templates(value: Value, pointer: Pointer) -> Iterator[tuple[Template, Pointer]]:
    """The templates inside a value, each with its place."""
    match value:
        case Template():
            yield value, pointer
        case ListValue(items=items):
            for index, item in enumerate(items):
                yield from templates(item, (*pointer, index))
        case DictValue(items=members):
            for key, member in members:
                yield from templates(member, (*pointer, key))
        case _:
            return
