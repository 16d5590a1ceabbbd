"""Resource properties as Pulumi's engine sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from google.protobuf import json_format, struct_pb2

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that is known only once something has been made."""
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks objects which are more than plain data, such as archives."""

Properties = dict[str, Any]


def decode(struct: struct_pb2.Struct) -> Properties:
    """Plain data; whole numbers are `int`, as protobuf has floats only."""
    return cast("Properties", _whole(json_format.MessageToDict(struct)))


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The same for the way back; properties that are None are left out."""
    given = {name: value for name, value in properties.items() if value is not None}
    return json_format.ParseDict(given, struct_pb2.Struct())


def has_unknown(value: Any) -> bool:
    """Whether anything in a value is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in cast("list[Any]", value))
    return value == UNKNOWN


def shaped(observed: Any, given: Any) -> Any:
    """What was observed, in the words of what was given where the two mean the same: a service
    completes objects with defaults, orders lists and writes JSON in its own way, and none of that
    is a change."""
    if isinstance(given, Mapping) and isinstance(observed, Mapping):
        wanted, seen = cast("Properties", given), cast("Properties", observed)
        return {
            key: shaped(seen[key], value)
            for key, value in wanted.items()
            if key in seen and seen[key] is not None
        }
    if isinstance(given, list) and isinstance(observed, list):
        return _shaped_list(cast("list[Any]", observed), cast("list[Any]", given))
    if isinstance(given, str) and isinstance(observed, str) and same_json(given, observed):
        return given
    return observed


def same_json(one: str, other: str) -> bool:
    """Whether two texts are the same JSON."""
    if one == other:
        return True
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


def _shaped_list(observed: list[Any], given: list[Any]) -> list[Any]:
    if len(observed) != len(given):
        return observed
    in_order = [shaped(seen, wanted) for seen, wanted in zip(observed, given, strict=True)]
    if in_order == given:
        return given
    # Most lists are sets to the service that keeps them.
    rest = list(observed)
    for wanted in given:
        index = next((i for i, seen in enumerate(rest) if shaped(seen, wanted) == wanted), None)
        if index is None:
            return in_order
        rest.pop(index)
    return given


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in cast("Properties", value).items()}
    if isinstance(value, list):
        return [_whole(item) for item in cast("list[Any]", value)]
    return value
