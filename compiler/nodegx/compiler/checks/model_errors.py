"""Says what the models refuse in words for people who have never heard of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final, cast, get_args

from nodegx.compiler.diagnostics import Pointer, did_you_mean, quoted, suggestion
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .findings import Findings, Hint

Wording = tuple[str, str, Hint]
"""Code, message and hint."""

JSON_TYPES: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true or false"),
    (str, "a text"),
    ((int, float), "a number"),
    (dict, "an object"),
    (list, "a list"),
    (type(None), "null"),
)


def json_type(value: Any) -> str:
    """What kind of JSON a value is: `a text`, `a number`, …"""
    return next((name for kind, name in JSON_TYPES if isinstance(value, kind)), "something else")


def report(
    error: ValidationError,
    model: type[BaseModel],
    data: Mapping[str, Any],
    pointer: Pointer,
    findings: Findings,
) -> list[Pointer]:
    """Notes every fault of a document and returns where they are, relative to `data`."""
    places: list[Pointer] = []
    for details in error.errors(include_url=False):
        kind, place = details["type"], _existing(details["loc"], data)
        if kind == "extra_forbidden":
            code, message, hint = _unknown_key(model, place)
        elif kind == "missing":
            code, message, hint = _missing_key(model, details["loc"])
        else:
            code, message, hint = _wording(details)
        places.append(place)
        findings.node = _node_id(place, data)
        is_key = kind == "extra_forbidden"
        findings.error(code, message, (*pointer, *place), hint=hint, key=is_key)
    findings.node = None
    return places


def _existing(loc: tuple[int | str, ...], data: Any) -> Pointer:
    """The part of a place that exists: a missing key is told of at the object it belongs to."""
    place: list[str | int] = []
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            break
        place.append(step)
    return tuple(place)


def _node_id(place: Pointer, data: Mapping[str, Any]) -> str | None:
    if len(place) < 2 or place[0] != "nodes":
        return None
    node = data["nodes"][place[1]]
    node_id = cast("dict[str, Any]", node).get("id") if isinstance(node, dict) else None
    return node_id if isinstance(node_id, str) else None


@cache
def _keys(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """The keys of a model, each with the model of its value or of its elements."""
    return {
        info.alias or name: next(_models_in(info.annotation), None)
        for name, info in model.model_fields.items()
    }


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _model_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    for step in place:
        if isinstance(step, str):
            model = _keys(model).get(step) or model
    return model


def _unknown_key(model: type[BaseModel], place: Pointer) -> Wording:
    known = list(_keys(_model_at(model, place[:-1])))
    key = str(place[-1])
    return "NX201", f"unknown key {quoted(key)}", partial(suggestion, key, known, "keys")


def _missing_key(model: type[BaseModel], loc: tuple[int | str, ...]) -> Wording:
    owner = _model_at(model, loc[:-1])
    key = str(loc[-1])
    fields = owner.model_fields.values()
    description = next((info.description for info in fields if info.alias == key), None)
    return "NX202", f'the key "{key}" is missing', description or ""


def _wording(details: ErrorDetails) -> Wording:
    context: dict[str, Any] = details.get("ctx", {})
    if "message" in context:
        code = "NX205" if details["type"] == "workflow_name" else "NX204"
        return code, context["message"], context["hint"]
    handler = _WORDINGS.get(details["type"])
    if handler is None:
        return "NX204", "this value is not allowed here", ""
    return handler(details["input"], context)


def _wanted(name: str) -> Callable[[Any, dict[str, Any]], Wording]:
    def wording(value: Any, _context: dict[str, Any]) -> Wording:
        return "NX203", f"this must be {name}, not {json_type(value)}", ""

    return wording


def _limit(text: str, key: str) -> Callable[[Any, dict[str, Any]], Wording]:
    def wording(_value: Any, context: dict[str, Any]) -> Wording:
        bound = context.get(key)
        return "NX204", text.format(f"{bound:,g}" if isinstance(bound, float) else bound), ""

    return wording


def _choice(value: Any, context: dict[str, Any]) -> Wording:
    choices = [
        word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")
    ]
    close = did_you_mean(value, choices) if isinstance(value, str) else None
    hint = f'did you mean "{close}"?' if close else ""
    return "NX204", f"this must be one of {', '.join(choices)}, not {quoted(value)}", hint


_WORDINGS: Final[Mapping[str, Callable[[Any, dict[str, Any]], Wording]]] = {
    "string_type": _wanted("a text"),
    "int_type": _wanted("an integer"),
    "int_from_float": _wanted("an integer"),
    "float_type": _wanted("a number"),
    "bool_type": _wanted("true or false"),
    "dict_type": _wanted("an object"),
    "model_type": _wanted("an object"),
    "list_type": _wanted("a list"),
    "literal_error": _choice,
    "string_too_short": _limit("this must not be empty", "min_length"),
    "string_too_long": _limit("this has more than {} characters", "max_length"),
    "too_short": _limit("this list must not be empty", "min_length"),
    "too_long": _limit("this list has more than {} entries", "max_length"),
    "greater_than_equal": _limit("this must be at least {}", "ge"),
    "less_than_equal": _limit("this must be at most {}", "le"),
}
