"""Schemas that only the library jsonschema understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodegx.runtime.errors import FatalError

from .schema import Fault


def faults_of(schema: Any) -> Callable[[Any], list[Fault]]:
    """What finds all faults of a value. It never loads a schema from elsewhere.

    Raises:
        FatalError: code `json.schema`; it is no JSON Schema (or, when called, refers to one that
            is not part of it).
    """
    import jsonschema
    from jsonschema.validators import validator_for
    from jsonschema_specifications import REGISTRY
    from referencing.exceptions import Unresolvable

    from .formats import checker
    from .schema_errors import fault_of

    kind = validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise FatalError(
            f"not a JSON Schema: {error.message} (at {error.json_path})", code="json.schema"
        ) from None
    validator = kind(schema, format_checker=checker(), registry=REGISTRY)

    def faults(value: Any) -> list[Fault]:
        try:
            return [fault_of(error) for error in validator.iter_errors(value)]
        except Unresolvable as error:
            raise FatalError(
                f"the schema refers to {error.ref}, which is not in it", code="json.schema"
            ) from None

    return faults
