"""`manifest.json`: what a host must know of a compiled workflow without importing its handler."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

FORMAT_VERSION = 1


class _Model(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class HandlerRef(_Model):
    """Where the handler is: a module beside the manifest, and the workflow object in it."""

    module: str = "handler"
    function: str


class TriggerEntry(_Model):
    """A trigger node; `config` are its parameters with defaults, references to secrets in place."""

    node: str
    type: str
    config: dict[str, Any]


class NodeEntry(_Model):
    """A node as the console draws it. `line` is its first line in the handler, None for a node
    that leaves no code."""

    id: str
    name: str
    type: str
    label: str = ""
    x: float | None = None
    y: float | None = None
    line: int | None = None


class ConnectionEntry(_Model):
    """A wire, as in the workflow file."""

    source_id: str
    source_port: str
    target_id: str
    target_port: str


class RetryEntry(_Model):
    """A retry policy; times in seconds."""

    attempts: int
    delay: float
    backoff: float
    max_delay: float
    jitter: float
    on: list[str] = Field(default_factory=list[str])


class SettingsEntry(_Model):
    """The workflow's settings, defaults filled in; times in seconds, memory in MiB."""

    timeout: float | None
    memory: int | None
    concurrency: int | None
    capture: str
    retention_days: int | None
    redact: list[str]
    max_bytes: int
    on_error: str | None
    retry: RetryEntry | None
    timezone: str
    durable: bool = False


class Manifest(_Model):
    """The whole manifest. Lists are sorted unless their order means something.

    `emits`, `calls` and `listens` hold the names known at compile time; a name that is computed at
    run time shows as `*`. `responds` tells whether a `cloud.response` can answer the caller,
    `suspends` whether a run may wait for longer than a process should: at a Wait node, or for a
    durable workflow that it calls. Such workflows are durable unless their settings say otherwise.
    `continues` tells whether a run may go on after its caller has been answered, `awaits_requests`
    whether it may wait for a request to a resume URL.
    """

    format_version: int = FORMAT_VERSION
    name: str
    slug: str
    description: str = ""
    revision: str
    source: str
    handler: HandlerRef
    settings: SettingsEntry
    triggers: list[TriggerEntry]
    nodes: list[NodeEntry]
    connections: list[ConnectionEntry]
    emits: list[str] = Field(default_factory=list[str])
    listens: list[str] = Field(default_factory=list[str])
    calls: list[str] = Field(default_factory=list[str])
    secrets: list[str] = Field(default_factory=list[str])
    vars: list[str] = Field(default_factory=list[str])
    env: list[str] = Field(default_factory=list[str])
    packages: list[str] = Field(default_factory=list[str])
    responds: bool = False
    suspends: bool = False
    continues: bool = False
    awaits_requests: bool = False

    def to_text(self) -> str:
        """The file itself."""
        return f"{self.model_dump_json(by_alias=True, indent=2)}\n"
