"""JSON Schema (draft 2020-12) with the standard library: a schema becomes nested functions.

Source: "JSON Schema Validation: A Vocabulary for Structural Validation of JSON" and "JSON Schema
Core", draft 2020-12. Schemas that use more than `supports` knows (references to other documents,
dynamic references, unevaluated properties, keywords that older drafts read differently) are left
to the library jsonschema, which costs a function 150 ms of its start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, cast

from . import formats

Path = tuple[str | int, ...]
Schema = Mapping[str, Any] | bool


class Fault(NamedTuple):
    """Something in a value that its schema does not allow.

    `expected` is the keyword's value; `detail` is what the keyword adds: the missing key, the
    surplus keys, or for alternatives the faults of each.
    """

    path: Path
    keyword: str
    expected: Any
    instance: Any
    detail: Any = None


Check = Callable[[Any, Path, list[Fault]], None]
"""Appends what is wrong with a value at a path."""
Builder = Callable[[Any, Mapping[str, Any], "Compiler"], Check]

CURRENT = "https://json-schema.org/draft/2020-12/schema"
OLDER = ("https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft-07/schema")
ANNOTATIONS = frozenset(
    [
        "$comment",
        "$defs",
        "$schema",
        "contentEncoding",
        "contentMediaType",
        "default",
        "definitions",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
        "then",
        "else",
        "minContains",
        "maxContains",
    ]
)
ONLY_CURRENT = frozenset(["prefixItems", "dependentRequired", "dependentSchemas", "minContains"])
"""Keywords that older drafts do not know or read differently."""

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}
_NUMBER, _STRING, _ARRAY, _OBJECT = (TYPES[n] for n in ("number", "string", "array", "object"))


class UnsupportedError(Exception):
    """The schema uses what only the library understands."""


def supports(schema: Any) -> bool:
    """Whether a schema can be checked here."""
    try:
        build(schema)
    except (UnsupportedError, RecursionError):
        return False
    return True


def build(schema: Any) -> Check:
    """The check of a whole schema.

    Raises:
        UnsupportedError: it uses, somewhere, what only the library understands.
    """
    return Compiler(schema).root


class Compiler:
    """Turns one document of schemas into checks; those that are referred to, once each."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._referred: dict[str, Check | None] = {}
        self._older = False
        if isinstance(document, dict):
            draft = cast("dict[str, Any]", document).get("$schema", CURRENT)
            if not isinstance(draft, str) or draft.rstrip("#") not in (CURRENT, *OLDER):
                raise UnsupportedError(draft)
            self._older = draft.rstrip("#") != CURRENT
        self.root = self.schema(document)

    def schema(self, schema: Any) -> Check:
        """The check of one schema in the document."""
        if isinstance(schema, bool):
            return _anything if schema else _nothing
        if not isinstance(schema, dict):
            raise UnsupportedError
        keywords = cast("dict[str, Any]", schema)
        if self._older and (
            not ONLY_CURRENT.isdisjoint(keywords) or ("$ref" in keywords and len(keywords) > 1)
        ):
            raise UnsupportedError(keywords)
        checks: list[Check] = []
        for keyword, value in keywords.items():
            builder = BUILDERS.get(keyword)
            if builder is not None:
                checks.append(builder(value, keywords, self))
            elif keyword not in ANNOTATIONS:
                raise UnsupportedError(keyword)
        for name in ("$defs", "definitions"):
            for definition in _mapping(keywords.get(name, {})).values():
                self.schema(definition)
        return _all(checks)

    def reference(self, pointer: Any) -> Check:
        """The check of the schema that a local reference such as `#/$defs/line` names."""
        if not isinstance(pointer, str) or (pointer != "#" and not pointer.startswith("#/")):
            raise UnsupportedError(pointer)
        if pointer not in self._referred:
            self._referred[pointer] = None  # under way: a schema may refer to itself
            self._referred[pointer] = self.schema(self._find(pointer))

        def check(value: Any, path: Path, faults: list[Fault]) -> None:
            found = self._referred[pointer]
            assert found is not None
            found(value, path, faults)

        return check

    def _find(self, pointer: str) -> Any:
        found = self._document
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if "%" in key or not isinstance(found, dict) or key not in found:
                raise UnsupportedError(pointer)
            found = cast("dict[str, Any]", found)[key]
        return found


def _anything(value: Any, path: Path, faults: list[Fault]) -> None:
    return


def _nothing(value: Any, path: Path, faults: list[Fault]) -> None:
    faults.append(Fault(path, "false", False, value))


def _all(checks: list[Check]) -> Check:
    if not checks:
        return _anything
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        for each in checks:
            each(value, path, faults)

    return check


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnsupportedError
    return cast("dict[str, Any]", value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise UnsupportedError
    return cast("list[Any]", value)


def _fits(check: Check, value: Any) -> bool:
    faults: list[Fault] = []
    check(value, (), faults)
    return not faults


# --- keywords that look at one value -----------------------------------------------------------


def _simple(
    keyword: str, applies: Callable[[Any], bool], wrong: Callable[[Any, Any], bool], kind: str
) -> Builder:
    """A keyword that compares values of one type with its own value, which must be a `kind`."""

    def builder(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
        if not TYPES[kind](expected):
            raise UnsupportedError(expected)

        def check(value: Any, path: Path, faults: list[Fault]) -> None:
            if applies(value) and wrong(value, expected):
                faults.append(Fault(path, keyword, expected, value))

        return check

    return builder


def _type(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    names = _list(expected) if isinstance(expected, list) else [expected]
    if not names or not all(isinstance(name, str) and name in TYPES for name in names):
        raise UnsupportedError
    tests = [TYPES[name] for name in names]
    test = tests[0]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not (test(value) or any(other(value) for other in tests[1:])):
            faults.append(Fault(path, "type", expected, value))

    return check


def _enum(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    allowed = {frozen(each) for each in _list(expected)}

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if frozen(value) not in allowed:
            faults.append(Fault(path, "enum", expected, value))

    return check


def _const(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    allowed = frozen(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if frozen(value) != allowed:
            faults.append(Fault(path, "const", expected, value))

    return check


def _pattern(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    search = _regex(expected).search

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, str) and search(value) is None:
            faults.append(Fault(path, "pattern", expected, value))

    return check


def _regex(pattern: Any) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, TypeError, RecursionError) as error:
        raise UnsupportedError(pattern) from error


def _no_multiple(value: Any, of: Any) -> bool:
    if of == 0:
        return False
    if isinstance(of, float) or isinstance(value, float):
        try:
            quotient = value / of
            return quotient != int(quotient)
        except (OverflowError, ValueError):
            return Fraction(value) / Fraction(of) % 1 != 0
    return value % of != 0


def _unique(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if expected is True and isinstance(value, list):
            elements = cast("list[Any]", value)
            if len({frozen(element) for element in elements}) < len(elements):
                faults.append(Fault(path, "uniqueItems", expected, value))

    return check


def frozen(value: Any) -> Any:
    """A hashable stand-in that is equal for equal JSON values: true is not 1, but 1.0 is."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", *map(frozen, cast("list[Any]", value)))
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return ("object", frozenset((key, frozen(member)) for key, member in items))
    return value


# --- objects -----------------------------------------------------------------------------------


def _properties(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    checks = [(name, compiler.schema(inner)) for name, inner in _mapping(expected).items()]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            for name, inner in checks:
                if name in members:
                    inner(members[name], (*path, name), faults)

    return check


def _required(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    names = _list(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            faults += [
                Fault(path, "required", expected, members, name)
                for name in names
                if name not in members
            ]

    return check


def _surplus(schema: Mapping[str, Any]) -> Callable[[dict[str, Any]], list[str]]:
    """Finds the keys that neither `properties` nor `patternProperties` names."""
    named = _mapping(schema.get("properties", {}))
    patterns = [_regex(pattern) for pattern in _mapping(schema.get("patternProperties", {}))]
    return lambda members: [
        key
        for key in members
        if key not in named and not any(pattern.search(key) for pattern in patterns)
    ]


def _additional(expected: Any, schema: Mapping[str, Any], compiler: Compiler) -> Check:
    surplus = _surplus(schema)
    inner = compiler.schema(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, dict):
            return
        members = cast("dict[str, Any]", value)
        extra = surplus(members)
        if expected is False and extra:
            faults.append(Fault(path, "additionalProperties", False, value, sorted(extra)))
        elif expected is not False:
            for key in extra:
                inner(members[key], (*path, key), faults)

    return check


def _pattern_properties(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    checks = [(_regex(name), compiler.schema(inner)) for name, inner in _mapping(expected).items()]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            for key, member in cast("dict[str, Any]", value).items():
                for pattern, inner in checks:
                    if pattern.search(key):
                        inner(member, (*path, key), faults)

    return check


def _property_names(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    inner = compiler.schema(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            faults += [
                Fault(path, "propertyNames", expected, key)
                for key in cast("dict[str, Any]", value)
                if not _fits(inner, key)
            ]

    return check


def _dependent_required(expected: Any, _: Mapping[str, Any], __: Compiler) -> Check:
    rules = {name: _list(needed) for name, needed in _mapping(expected).items()}

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            for name, needed in rules.items():
                if name in value and any(other not in value for other in needed):
                    faults.append(Fault(path, "dependentRequired", expected, cast("Any", value)))

    return check


def _dependent_schemas(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    rules = [(name, compiler.schema(inner)) for name, inner in _mapping(expected).items()]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            for name, inner in rules:
                if name in value:
                    inner(cast("Any", value), path, faults)

    return check


# --- arrays ------------------------------------------------------------------------------------


def _items(expected: Any, schema: Mapping[str, Any], compiler: Compiler) -> Check:
    inner = compiler.schema(expected)
    first = len(_list(schema.get("prefixItems", [])))

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, list):
            return
        elements = cast("list[Any]", value)
        if expected is False and len(elements) > first:
            faults.append(Fault(path, "items", False, value))
        elif expected is not False:
            for index in range(first, len(elements)):
                inner(elements[index], (*path, index), faults)

    return check


def _prefix_items(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    checks = [compiler.schema(inner) for inner in _list(expected)]

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, list):
            elements = cast("list[Any]", value)
            for index, (element, inner) in enumerate(zip(elements, checks, strict=False)):
                inner(element, (*path, index), faults)

    return check


def _contains(expected: Any, schema: Mapping[str, Any], compiler: Compiler) -> Check:
    inner = compiler.schema(expected)
    least, most = schema.get("minContains", 1), schema.get("maxContains")

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if isinstance(value, list):
            count = sum(_fits(inner, element) for element in cast("list[Any]", value))
            if count < least:
                faults.append(Fault(path, "contains", expected, value))
            elif most is not None and count > most:
                faults.append(Fault(path, "maxContains", most, value))

    return check


# --- schemas put together ----------------------------------------------------------------------


def _all_of(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    return _all([compiler.schema(inner) for inner in _list(expected)])


def _alternatives(keyword: str) -> Builder:
    """`anyOf` and `oneOf`."""

    def builder(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
        checks = [compiler.schema(inner) for inner in _list(expected)]

        def check(value: Any, path: Path, faults: list[Fault]) -> None:
            found: list[list[Fault]] = []
            fitting = 0
            for inner in checks:
                tried: list[Fault] = []
                inner(value, path, tried)
                found.append(tried)
                fitting += not tried
                if fitting and keyword == "anyOf":
                    return
            if fitting != 1:
                faults.append(Fault(path, keyword, expected, value, [] if fitting else found))

        return check

    return builder


def _not(expected: Any, _: Mapping[str, Any], compiler: Compiler) -> Check:
    inner = compiler.schema(expected)

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if _fits(inner, value):
            faults.append(Fault(path, "not", expected, value))

    return check


def _if(expected: Any, schema: Mapping[str, Any], compiler: Compiler) -> Check:
    condition = compiler.schema(expected)
    then, otherwise = (compiler.schema(schema.get(name, True)) for name in ("then", "else"))

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        (then if _fits(condition, value) else otherwise)(value, path, faults)

    return check


BUILDERS: Mapping[str, Builder] = {
    "$ref": lambda pointer, _, compiler: compiler.reference(pointer),
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _simple("minimum", _NUMBER, lambda value, least: value < least, "number"),
    "maximum": _simple("maximum", _NUMBER, lambda value, most: value > most, "number"),
    "exclusiveMinimum": _simple(
        "exclusiveMinimum", _NUMBER, lambda value, below: value <= below, "number"
    ),
    "exclusiveMaximum": _simple(
        "exclusiveMaximum", _NUMBER, lambda value, above: value >= above, "number"
    ),
    "multipleOf": _simple("multipleOf", _NUMBER, _no_multiple, "number"),
    "minLength": _simple("minLength", _STRING, lambda text, least: len(text) < least, "integer"),
    "maxLength": _simple("maxLength", _STRING, lambda text, most: len(text) > most, "integer"),
    "pattern": _pattern,
    "format": _simple(
        "format", _STRING, lambda text, name: not formats.matches(name, text), "string"
    ),
    "minItems": _simple("minItems", _ARRAY, lambda array, least: len(array) < least, "integer"),
    "maxItems": _simple("maxItems", _ARRAY, lambda array, most: len(array) > most, "integer"),
    "uniqueItems": _unique,
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "minProperties": _simple(
        "minProperties", _OBJECT, lambda members, least: len(members) < least, "integer"
    ),
    "maxProperties": _simple(
        "maxProperties", _OBJECT, lambda members, most: len(members) > most, "integer"
    ),
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "patternProperties": _pattern_properties,
    "propertyNames": _property_names,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "allOf": _all_of,
    "anyOf": _alternatives("anyOf"),
    "oneOf": _alternatives("oneOf"),
    "not": _not,
    "if": _if,
}
"""What each keyword checks."""
