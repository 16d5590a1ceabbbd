"""The parameters of a node against their declarations, however deep they go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from nodegx.compiler.diagnostics import listing, printable, quoted, suggestion
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import Literal, Value
from nodegx.runtime.catalog.types import Alternatives, Param, Type, When

from .code_values import parse_python, parse_schema
from .conditions import parse_condition
from .findings import Findings
from .values import (
    BROKEN,
    Place,
    as_dict,
    as_list,
    checked_by,
    items_of,
    members_of,
    parse_json,
    parse_scalar,
    parse_secret,
    parse_template_of,
    parse_text,
)


def parse_members(
    params: Sequence[Param],
    given: Mapping[str, Any],
    place: Place,
    findings: Findings,
    *,
    wired: Collection[str] = (),
) -> dict[str, Value]:
    """The members of an object with declared keys, such as the parameters of a node.

    Args:
        params: the declarations.
        given: what stands in the file.
        place: the object; its name is empty for the parameters themselves.
        findings: where faults are noted.
        wired: keys whose value comes over a data wire.
    """
    declared = {param.name: param for param in params}
    _refuse_unknown(declared, given, place, findings)
    values: dict[str, Value] = {}
    for name, param in declared.items():
        applies = _applies(param.when, declared, given, wired)
        here = _member(place, name)
        if name in given:
            if applies is False:
                _refuse_idle(param, given, declared, here, findings)
            values[name] = parse_value(param, given[name], here, findings)
        elif name in wired:
            if applies is False:
                _refuse_idle(param, given, declared, place, findings)
        elif param.required and applies:
            message = f"`{here.name}` is missing"
            findings.error("NX304", message, place.pointer, hint=param.doc)
    return values


def check_alternatives(
    groups: Sequence[Alternatives], given: Collection[str], place: Place, findings: Findings
) -> None:
    """Parameters of which at most one, or exactly one, may be given."""
    for group in groups:
        found = [name for name in group.names if name in given]
        if len(found) > 1:
            message = f"{listing(f'`{name}`' for name in found)} exclude one another"
            pointer = (*place.pointer, found[1])
            findings.error("NX318", message, pointer, hint="keep one of them", key=True)
        elif group.required and not found:
            message = f"one of {listing(f'`{name}`' for name in group.names)} is missing"
            findings.error("NX304", message, place.pointer)


def parse_value(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    """One value against its declaration; `BROKEN` where it does not fit."""
    place = place.strict(param.literal)
    if param.many and isinstance(value, list):
        one = replace(param, many=False)
        members = [
            parse_value(one, member, place.element(index), findings)
            for index, member in enumerate(items_of(value))
        ]
        if not members:
            findings.error("NX306", f"`{place.name}` is empty", place.pointer)
        return as_list(value, members)
    if param.secret:
        return parse_secret(value, place, findings)
    special = _SPECIAL.get(param.type)
    if special is not None:
        return special(param, value, place, findings)
    if isinstance(value, str):
        parsed = parse_text(value, place, findings)
        if parsed is BROKEN:
            return BROKEN
        if isinstance(parsed, Template):
            return parse_template_of(parsed, param, place, findings)
        value = parsed.value if isinstance(parsed, Literal) else value
    scalar = parse_scalar(value, param, place, findings)
    if scalar is BROKEN or not isinstance(value, dict | list):
        return scalar
    return parse_json(value, place, findings)


def _member(place: Place, name: str) -> Place:
    if place.name:
        return place.member(name)
    return Place((*place.pointer, name), name, place.literal)


def _refuse_unknown(
    declared: Mapping[str, Param], given: Mapping[str, Any], place: Place, findings: Findings
) -> None:
    owner = f"`{place.name}`" if place.name else "this node type"
    for key in given:
        if key not in declared:
            findings.error(
                "NX303",
                f"{owner} has no parameter {quoted(key)}",
                (*place.pointer, key),
                hint=partial(suggestion, key, list(declared), "parameters"),
                key=True,
            )


def _applies(
    when: When | None,
    declared: Mapping[str, Param],
    given: Mapping[str, Any],
    wired: Collection[str],
) -> bool | None:
    """Whether a parameter applies; None if the sibling that decides is unknown or wrong itself."""
    if when is None:
        return True
    sibling = declared[when.param]
    if when.param in wired:
        return None
    actual = given.get(when.param, sibling.default)
    if not isinstance(actual, str | int | bool) or (
        sibling.choices and actual not in sibling.choices
    ):
        return None
    return actual in when.values


def _refuse_idle(
    param: Param,
    given: Mapping[str, Any],
    declared: Mapping[str, Param],
    place: Place,
    findings: Findings,
) -> None:
    """Notes a parameter that would be ignored."""
    when = param.when
    if when is None:
        return
    actual = given.get(when.param, declared[when.param].default)
    wanted = listing(quoted(value) for value in when.values)
    findings.error(
        "NX318",
        f"`{param.name}` has no effect while `{when.param}` is {quoted(actual)}",
        place.pointer,
        hint=f"it belongs to `{when.param}` {wanted}",
        key=True,
    )


# ------------------------------------------------------------------------------ special types


def _object(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    if param.fields is None or not isinstance(value, dict):
        return _whole(param, value, place, findings)
    before = findings.error_count
    members = parse_members(param.fields, members_of(value), place, findings)
    if param.check is not None and findings.error_count == before:
        fault = checked_by(param.check, value)
        if fault is not None:
            findings.error("NX306", f"`{place.name}` {fault}", place.pointer)
    return as_dict(value, list(members.items()))


def _array(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    if param.items is None or not isinstance(value, list):
        return _whole(param, value, place, findings)
    item = param.items
    return as_list(
        value,
        [
            parse_value(item, member, place.element(index), findings)
            for index, member in enumerate(items_of(value))
        ],
    )


def _whole(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    """An object or list that does not stand in the file part by part."""
    if not param.explicit or not isinstance(value, str) or "{{" not in value:
        return _plain(param, value, place, findings)
    message = (
        f"`{place.name}` takes no expression as a whole: its parts must be known before the run"
    )
    hint = "write it out; expressions may stand in its values"
    findings.error("NX307", message, place.pointer, hint=hint)
    return BROKEN


def _plain(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    """An object or list without declared members, or an expression that gives one."""
    if isinstance(value, str):
        parsed = parse_text(value, place, findings)
        if parsed is BROKEN:
            return BROKEN
        if isinstance(parsed, Template):
            return parse_template_of(parsed, param, place, findings)
    if parse_scalar(value, param, place, findings) is BROKEN:
        return BROKEN
    return parse_json(value, place, findings)


def _condition(_param: Param, value: Any, place: Place, findings: Findings) -> Value:
    return parse_condition(value, place, findings)


def _item_expression(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    """An expression over each element, or JSON made of such expressions."""
    parsed = parse_json(value, place, findings)
    if isinstance(value, str) and isinstance(parsed, Literal) and parsed is not BROKEN:
        message = f"`{place.name}` must be an expression over {listing(param.scope)}"
        read = f"{param.scope[0]}.{value}" if value.isidentifier() else param.scope[0]
        if value.startswith(tuple(f"{name}." for name in param.scope)):
            read = printable(value, 60)
        hint = f"write {{{{ {read} }}}}"
        findings.error("NX305", message, place.pointer, hint=hint)
        return BROKEN
    return parsed


def _python(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    return parse_python(value, param, place, findings)


def _schema(param: Param, value: Any, place: Place, findings: Findings) -> Value:
    return parse_schema(value, param, place, findings)


_SPECIAL: Final[Mapping[Type, Callable[[Param, Any, Place, Findings], Value]]] = {
    Type.OBJECT: _object,
    Type.ARRAY: _array,
    Type.CONDITION: _condition,
    Type.ITEM_EXPRESSION: _item_expression,
    Type.PYTHON: _python,
    Type.JSON_SCHEMA: _schema,
}
