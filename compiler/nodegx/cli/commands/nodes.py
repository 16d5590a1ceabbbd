"""`nodegx nodes`: the reference of all node types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import not_found
from nodegx.cli.output import json_document, line, style, table, wrap
from nodegx.runtime.catalog import CATALOG, lookup
from nodegx.runtime.catalog.types import NodeType, Output, Param, Signal


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=declared.title)
        for name, declared in CATALOG.items()
        if name.startswith(incomplete)
    ]


@click.command(cls=Command)
@click.argument("node_type", metavar="[TYPE]", required=False, shell_complete=_complete)
@pass_state
def nodes(state: State, node_type: str | None) -> None:
    """Look up node types.

    Without TYPE lists all of them; with TYPE shows its ports, parameters and an example.
    """
    if node_type is None:
        _list(state)
        return
    declared = lookup(node_type)
    if declared is None:
        raise not_found("node type", node_type, CATALOG)
    if state.json:
        json_document(node_data(declared))
    else:
        for text in reference(declared):
            line(text)


def _list(state: State) -> None:
    if state.json:
        json_document([node_data(declared) for declared in CATALOG.values()])
        return
    rows = [
        (style(name, "cyan"), declared.title, _first_sentence(declared.doc))
        for name, declared in CATALOG.items()
    ]
    table(("type", "title", "what it does"), rows)


def _first_sentence(text: str) -> str:
    return text.partition("\n")[0].partition(". ")[0].rstrip(".")


def node_data(declared: NodeType) -> dict[str, Any]:
    """A declaration as JSON data."""
    return {
        "type": declared.type,
        "kind": declared.kind.value,
        "title": declared.title,
        "category": declared.category,
        "doc": declared.doc,
        "parameters": [_param_data(param) for param in declared.params],
        "outputs": [
            {"name": o.name, "type": o.type.value, "doc": o.doc, "whole": o.whole}
            for o in declared.outputs
        ],
        "signals": {
            "in": [_signal_data(signal) for signal in declared.signals_in],
            "out": [_signal_data(signal) for signal in declared.signals_out],
            "dynamic": declared.dynamic_outputs,
        },
        "alternatives": [
            {"parameters": list(group.names), "required": group.required}
            for group in declared.alternatives
        ],
        "packages": _packages(declared),
        "targets": sorted(declared.targets),
        "example": dict(declared.example) or None,
    }


def _packages(declared: NodeType) -> list[str]:
    """The distributions that plain uses of the node import, one use for each variant."""
    param = declared.variant and declared.param(declared.variant)
    variants: list[dict[str, Any]] = (
        [{param.name: choice} for choice in param.choices] if param else [{}]
    )
    return sorted({name for variant in variants for name in declared.packages_for(variant)})


def _signal_data(signal: Signal) -> dict[str, str]:
    return {"name": signal.name, "doc": signal.doc}


def _param_data(param: Param) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": param.name,
        "type": param.type.value,
        "doc": param.doc,
        "default": param.default,
        "required": param.required,
        "choices": list(param.choices) or None,
        "many": param.many or None,
        "when": {"parameter": param.when.param, "in": list(param.when.values)}
        if param.when
        else None,
        "literal": param.literal or None,
        "secret": param.secret or None,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "pattern": param.pattern,
        "examples": list(param.examples) or None,
        "fields": [_param_data(each) for each in param.fields] if param.fields else None,
        "items": _param_data(param.items) if param.items else None,
    }
    keep_empty = ("default", "required")
    return {key: value for key, value in data.items() if value is not None or key in keep_empty}


def reference(declared: NodeType) -> Iterator[str]:
    """One node type's page, line by line."""
    yield f"{style(declared.type, 'cyan', bold=True)}  {declared.title}"
    yield ""
    yield from wrap(declared.doc)
    yield from _signals("Starts on", declared.signals_in)
    yield from _signals("Goes on with", declared.signals_out)
    if declared.dynamic_outputs:
        yield f"  {style('<name>', 'green')}  one for each entry of `{declared.dynamic_outputs}`"
    if declared.params:
        yield _heading("Parameters")
        for param in declared.params:
            yield from _param(param, 1)
    for group in declared.alternatives:
        how_many = "Exactly one of" if group.required else "At most one of"
        yield f"  {how_many} {', '.join(group.names)}."
    if declared.outputs:
        yield _heading("Values")
        yield from (_output(declared, output) for output in declared.outputs)
    if packages := _packages(declared):
        yield _heading("Packages") + "\n  " + ", ".join(packages)
    if declared.example:
        yield _heading("Example")
        text = json.dumps(dict(declared.example), ensure_ascii=False, indent=2)
        yield from (f"  {each}" for each in text.splitlines())


def _heading(text: str) -> str:
    return "\n" + style(text, bold=True)


def _signals(heading: str, signals: Iterable[Signal]) -> Iterator[str]:
    rows = list(signals)
    if rows:
        yield _heading(heading)
        width = max(len(signal.name) for signal in rows)
        for signal in rows:
            yield f"  {style(signal.name.ljust(width), 'green')}  {signal.doc}".rstrip()


def _output(declared: NodeType, output: Output) -> str:
    how = "the node's name itself" if output.whole else f"`node.{output.name}`"
    if declared.outputs == (output,) and output.whole:
        how = "the node's value: use its name"
    return f"  {style(output.name, 'green')} {_dim(output.type.value)}  {output.doc} ({how})"


def _param(param: Param, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{style(param.name, 'green')} {_dim('(' + ', '.join(_facts(param)) + ')')}"
    if param.doc:
        yield from wrap(param.doc, f"{indent}    ")
    for inner in param.fields or ():
        yield from _param(inner, depth + 2)
    if param.items is not None and param.items.fields:
        yield f"{indent}    each element:"
        for inner in param.items.fields:
            yield from _param(inner, depth + 2)


def _facts(param: Param) -> Iterator[str]:
    """What a value must be like; the default is told by the parameter's own words."""
    yield f"{param.type.value}, or a list of them" if param.many else param.type.value
    if param.required:
        yield "required"
    if param.when is not None:
        yield f"with {param.when.param} {' or '.join(map(str, param.when.values))}"
    if param.choices:
        yield "one of " + ", ".join(map(str, param.choices))
    if param.minimum is not None or param.maximum is not None:
        yield _range(param)
    if param.literal:
        yield "no expression"
    if param.secret:
        yield "from secrets only"


def _range(param: Param) -> str:
    if param.maximum is None:
        return f"at least {param.minimum:,}"
    if param.minimum is None:
        return f"at most {param.maximum:,}"
    return f"{param.minimum:,} to {param.maximum:,}"


def _dim(text: str) -> str:
    return style(text, dim=True)
