"""The JSON Schemas of workflow and project files, for editors.

They are generated from the models and the node catalog, and published beside this module. They
are a little more permissive than the compiler: a parameter that is required may come over a data
wire, for example, which a schema cannot see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodegx.compiler.model import Bundle, WorkflowFile
from nodegx.compiler.project import ProjectSpec
from nodegx.runtime.catalog import CATALOG
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from .parameters import COMMON, parameters_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DIRECTORY = Path(__file__).parent
ALIAS = "python."

Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    """Leaves out titles that only repeat the key."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """See the base class."""
        return False


def workflow_schema() -> Schema:
    """The schema of a workflow file: one workflow, or several as `components`."""
    _, generated = models_json_schema(
        [(WorkflowFile, "validation"), (Bundle, "validation")],
        by_alias=True,
        schema_generator=_Generator,
    )
    definitions: Schema = generated["$defs"]
    _describe_nodes(definitions["NodeSpec"])
    definitions.update(COMMON)
    for node_type in CATALOG.values():
        definitions[_parameters_key(node_type.type)] = parameters_schema(node_type)
    return {
        "$schema": DIALECT,
        "title": "Nodegx workflow",
        "type": "object",
        "if": {"required": ["components"]},
        "then": {"$ref": "#/$defs/Bundle"},
        "else": {"$ref": "#/$defs/WorkflowFile"},
        "$defs": definitions,
    }


def project_schema() -> Schema:
    """The schema of `nodegx.json`."""
    generated = ProjectSpec.model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": DIALECT, **generated}


def schema_files() -> Mapping[str, str]:
    """The published files by name."""
    return {
        "workflow.schema.json": _text(workflow_schema()),
        "project.schema.json": _text(project_schema()),
    }


def write_schemas(directory: Path = DIRECTORY) -> list[Path]:
    """Writes the published files; run it after a change of the models or the catalog."""
    paths: list[Path] = []
    for name, text in schema_files().items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _parameters_key(node_type: str) -> str:
    return f"parameters.{node_type}"


def _describe_nodes(node: Schema) -> None:
    """Adds the types of the catalog to the schema of a node, each with its parameters."""
    node["properties"]["type"] = {
        "description": "Node type; `nodegx nodes` lists them.",
        "enum": [*CATALOG, *(f"{ALIAS}{name}" for name in CATALOG)],
    }
    node["allOf"] = [
        {
            "if": {
                "properties": {"type": {"enum": [name, f"{ALIAS}{name}"]}},
                "required": ["type"],
            },
            "then": {"properties": {"parameters": {"$ref": f"#/$defs/{_parameters_key(name)}"}}},
        }
        for name in CATALOG
    ]
