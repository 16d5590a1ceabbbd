"""Rules between parameters of one node type that declarations cannot express."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from nodegx.compiler.diagnostics import Pointer, listing
from nodegx.runtime.catalog import CATALOG
from nodegx.runtime.catalog.types import Kind

from .findings import Findings
from .model_errors import json_type
from .values import Place, items_of, members_of

Rule = Callable[[Mapping[str, Any], Place, Findings], None]
"""Looks at the parameters as they stand in the file; ill-typed ones have been noted already."""


def _switch(given: Mapping[str, Any], place: Place, findings: Findings) -> None:
    cases = given.get("cases")
    if not isinstance(cases, list):
        return
    pointer = (*place.pointer, "cases")
    if not cases:
        findings.error(
            "NX306", "`cases` is empty", pointer, hint="a switch needs at least one case"
        )
    compares = False
    for index, case in enumerate(items_of(cases)):
        if isinstance(case, dict):
            keys = members_of(case)
            compares = compares or "value" in keys
            _exactly_one(keys, ("value", "when"), (*pointer, index), f"cases[{index}]", findings)
    if compares and "value" not in given:
        message = "`value` is missing: there is nothing to compare the cases with"
        findings.error("NX304", message, place.pointer, hint='or give every case a "when"')


def _trigger(given: Mapping[str, Any], place: Place, findings: Findings) -> None:
    idempotency = given.get("idempotency")
    key = members_of(idempotency).get("key") if isinstance(idempotency, dict) else None
    if isinstance(key, str) and "{{" not in key:
        message = "`idempotency.key` is the same for everything that arrives"
        hint = "make it of what the trigger brings, such as {{ order.body.id }}"
        findings.error("NX306", message, (*place.pointer, "idempotency", "key"), hint=hint)


def _wait(given: Mapping[str, Any], place: Place, findings: Findings) -> None:
    condition = given.get("condition", "")
    if not isinstance(condition, str):
        message = f"`condition` must be an expression, not {json_type(condition)}"
        hint = "write it as one: \"{{ response.body.state == 'done' }}\""
        findings.error("NX305", message, (*place.pointer, "condition"), hint=hint)
    for name, owners in (("poll", ("condition",)), ("timeout", ("webhook", "condition"))):
        if name in given and not any(owner in given for owner in owners):
            message = (
                f"`{name}` has no effect without {' or '.join(f'`{each}`' for each in owners)}"
            )
            findings.error(
                "NX318", message, (*place.pointer, name), hint=f"leave `{name}` out", key=True
            )


def _exactly_one(
    given: Mapping[str, Any],
    names: tuple[str, ...],
    pointer: Pointer,
    owner: str,
    findings: Findings,
) -> None:
    found = [name for name in names if name in given]
    if not found:
        message = f"`{owner}` needs one of {listing(names)}"
        findings.error("NX304", message, pointer)
    elif len(found) > 1:
        message = f"in `{owner}`, {listing(found)} exclude one another"
        findings.error("NX318", message, (*pointer, found[1]), hint="keep one of them", key=True)


RULES: Final[Mapping[str, Rule]] = {
    "logic.switch": _switch,
    "logic.wait": _wait,
    **{
        node.type: _trigger
        for node in CATALOG.values()
        if node.kind is Kind.TRIGGER and node.param("idempotency") is not None
    },
}
