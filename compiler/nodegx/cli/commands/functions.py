"""`nodegx functions`: what expressions may call."""

from __future__ import annotations

from typing import Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.errors import not_found
from nodegx.cli.output import json_document, style, table
from nodegx.compiler.expressions.functions import FUNCTIONS, METHODS, Function


@click.command(cls=Command)
@click.argument("word", metavar="[WORD]", required=False)
@pass_state
def functions(state: State, word: str | None) -> None:
    """List expression functions.

    With WORD only those whose name or description contains it.
    """
    everything = [(function, False) for function in FUNCTIONS.values()]
    everything += [(function, True) for function in METHODS.values()]
    found = [entry for entry in everything if word is None or _mentions(entry[0], word)]
    if word is not None and not found:
        raise not_found("function", word, [*FUNCTIONS, *METHODS])
    if state.json:
        json_document([_data(function, method) for function, method in found])
        return
    rows = [
        (
            function.group,
            style(("value." if method else "") + function.signature, "cyan"),
            function.doc,
        )
        for function, method in found
    ]
    table(("group", "call", "what it gives"), rows)


def _mentions(function: Function, word: str) -> bool:
    return word.casefold() in f"{function.name}\n{function.doc}\n{function.group}".casefold()


def _data(function: Function, method: bool) -> dict[str, Any]:
    return {
        "name": function.name,
        "method": method,
        "signature": function.signature,
        "group": function.group,
        "doc": function.doc,
        "returns": function.returns.value,
        "parameters": [
            {
                "name": param.name,
                "type": param.type.value,
                "optional": param.optional,
                "rest": param.rest,
            }
            for param in function.params
        ],
    }
