"""The text of the Pulumi program: one that a team can read, change and own."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import jinja2
from nodegx.compiler.printer import print_module

from .names import Names
from .plan import Function, Plan, Trigger

COMPONENTS = "nodegx.infra.aws"
RESERVED = frozenset({"project", "pulumi", "name", "value"})
"""Names that the program uses itself."""
REQUIREMENT = "nodegx[aws]"
SHOWN = frozenset({"memory"})
"""Settings that are shown though they are the default: teams look for them."""
HIDDEN = frozenset({"packages"})
"""What matters to bundles alone."""


def program(plan: Plan, *, stacks: str) -> str:
    """`__main__.py`.

    Args:
        plan: the project.
        stacks: the directory of the stacks' files, from the program's.
    """
    kinds = {type(trigger).__name__ for _, trigger in plan.triggers()}
    used = {"Function", "Workflow"} if plan.functions else set[str]()
    return _ENVIRONMENT.get_template("main.py.j2").render(
        name=_line(plan.project),
        stacks=stacks,
        imports=f"from {COMPONENTS} import {', '.join(sorted({'Project', *used, *kinds}))}",
        project=f"project = Project({_arguments(_project(plan))})",
        workflows=[_statement(function) for function in plan.functions],
    )


def settings(plan: Plan, *, stacks: str) -> str:
    """`Pulumi.yaml`; `stacks` is the directory of the stacks' files, from the program's."""
    names = Names(plan.project, "")
    return _ENVIRONMENT.get_template("Pulumi.yaml.j2").render(
        name=plan.project, label=names.label, stacks=stacks
    )


def stack(plan: Plan, name: str, *, production: bool, program: str) -> str:
    """A first `Pulumi.<stack>.yaml`, with everything that can be set.

    Args:
        plan: the project.
        name: name of the stack.
        production: whether it is one whose data matters.
        program: the program's directory, as it is shown.
    """
    return _ENVIRONMENT.get_template("stack.yaml.j2").render(
        stack=name,
        name=_line(plan.project),
        label=Names(plan.project, "").label,
        production=production,
        program=program,
        slug=plan.functions[0].slug if plan.functions else "workflow",
        vars=sorted(plan.vars.items()),
        env=plan.env,
    )


def _project(plan: Plan) -> dict[str, Any]:
    """Arguments of the project, those that differ from their defaults."""
    longest = max((each.retention_days or 0 for each in plan.functions), default=0)
    found: dict[str, Any] = {
        "vars": dict(sorted(plan.vars.items())),
        "secrets": plan.secrets,
        "retention_days": plan.retention_days,
        "longest_retention": longest if longest > plan.retention_days else None,
        "http": plan.has_api,
        "events": plan.has_bus,
        "schedules": plan.has_schedules,
        "buckets": plan.buckets,
        "tables": plan.tables,
    }
    given = {name: value for name, value in found.items() if value}
    return {"": plan.project, "home": _Code("Path(__file__).parent"), **given}


class _Code(str):
    """Text that is code already."""


def _statement(function: Function) -> str:
    slug = function.slug
    name = f"{slug}_workflow" if slug in RESERVED else slug
    return f"{name} = Workflow(project, {_expression(function)})"


def _expression(value: Any) -> str:
    """Code that makes a value."""
    if isinstance(value, _Code):
        return value
    if isinstance(value, Function | Trigger):
        given = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if field.name in SHOWN
            or (field.name not in HIDDEN and getattr(value, field.name) != _default(field))
        }
        return f"{type(value).__name__}({_arguments(given)})"
    if isinstance(value, tuple):
        items: list[str] = [_expression(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, Mapping):
        members = [f"{key!r}: {_expression(item)}" for key, item in value.items()]  # pyright: ignore[reportUnknownVariableType]
        return f"{{{', '.join(members)}}}"
    return repr(value)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _arguments(given: Mapping[str, Any]) -> str:
    """Arguments of a call; one without a name comes first."""
    return ", ".join(
        f"{name}={_expression(value)}" if name else _expression(value)
        for name, value in given.items()
    )


def _line(text: str) -> str:
    """A text on one line that ends no comment and no docstring."""
    found = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return found.replace("\\", "/").replace('"""', "'''")


def _python(code: str) -> str:
    """Code, laid out."""
    return print_module(ast.parse(code)).text.rstrip("\n")


def _yaml(value: Any) -> str:
    """A value in YAML, which JSON is a part of."""
    return json.dumps(value, ensure_ascii=False)


# The templates write Python and YAML, for which there is no escaping but ours.
_ENVIRONMENT = jinja2.Environment(  # noqa: S701
    loader=jinja2.PackageLoader("nodegx.compiler.targets.aws"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=False,
    lstrip_blocks=False,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters.update(python=_python, yaml=_yaml)
