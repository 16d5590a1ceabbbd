"""JSON Schema (draft 2020-12) with the standard library: a schema becomes nested functions.

Source: "JSON Schema Validation: A Vocabulary for Structural Validation of JSON" and "JSON Schema
Core", draft 2020-12. Schemas that use more than `supports` knows (references to other documents,
dynamic references, unevaluated properties, keywords that older drafts read differently) are left
to the library jsonschema, which costs a function 150 ms of its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from . import objects, scalars
from .core import (
    TYPES,
    Builder,
    Check,
    Fault,
    Path,
    UnsupportedError,
    anything,
    in_turn,
    nothing,
    object_of,
)

CURRENT = "https://json-schema.org/draft/2020-12/schema"
OLDER = ("https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft-07/schema")
ANNOTATIONS = frozenset(
    (
        *("$comment", "$schema", "$defs", "definitions", "title", "description", "default"),
        *("examples", "deprecated", "readOnly", "writeOnly"),
        *("contentEncoding", "contentMediaType"),
        *("then", "else", "minContains", "maxContains"),  # read by `if` and `contains`
    )
)
"""Keywords that check nothing by themselves."""
ONLY_CURRENT = frozenset(["prefixItems", "dependentRequired", "dependentSchemas", "minContains"])
"""Keywords that older drafts do not know or read differently."""

COMBINED = frozenset(["$ref", "allOf", "anyOf", "oneOf", "not", "if"])
"""The keywords of `combined`."""
OF_ARRAYS = frozenset(["minItems", "maxItems", "uniqueItems", "items", "prefixItems", "contains"])
"""The keywords of `arrays`."""


def builder_of(keyword: str) -> Builder | None:
    """What makes the check of a keyword; None if nobody does."""
    known: Mapping[str, Builder]
    if keyword in COMBINED:
        from .combined import KEYWORDS as known
    elif keyword in OF_ARRAYS:
        from .arrays import KEYWORDS as known
    else:
        known = scalars.KEYWORDS if keyword in scalars.KEYWORDS else objects.KEYWORDS
    return known.get(keyword)


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
            return anything if schema else nothing
        if not isinstance(schema, dict):
            raise UnsupportedError
        keywords = cast("dict[str, Any]", schema)
        if self._older and (
            not ONLY_CURRENT.isdisjoint(keywords) or ("$ref" in keywords and len(keywords) > 1)
        ):
            raise UnsupportedError(keywords)
        checks: list[Check] = []
        for keyword, value in keywords.items():
            builder = builder_of(keyword)
            if builder is not None:
                checks.append(builder(value, keywords, self))
            elif keyword not in ANNOTATIONS:
                raise UnsupportedError(keyword)
        for name in ("$defs", "definitions"):
            for definition in object_of(keywords.get(name, {})).values():
                self.schema(definition)
        return in_turn(checks)

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


__all__ = ["TYPES", "Fault", "Path", "UnsupportedError", "build", "supports"]
