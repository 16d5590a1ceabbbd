"""The workflow format: what may stand in a file, before anyone asks what its node types mean.

The models are strict: JSON types are not converted, unknown keys are errors. The published JSON
Schema is generated from them, so titles and descriptions here are what editors show.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, LiteralString

from nodegx.runtime import durations
from nodegx.runtime.node import Retry
from nodegx.runtime.node import Settings as RuntimeSettings
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from .names import MAX_NAME, WORKFLOW_NAME, WORKFLOW_NAME_HINT

DURATION_PATTERN = r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d|w)?\s*$"
DURATION_HINT = 'write seconds, or a text such as "500ms", "5s", "2m" or "1h"'
DURATION_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}]
}
MAX_DURATION = 366 * 86_400.0


def custom_error(kind: LiteralString, message: str, hint: str) -> PydanticCustomError:
    """An error whose message and hint are shown as they are."""
    return PydanticCustomError(kind, "{message}", {"message": message, "hint": hint})


def _seconds(value: Any) -> float:
    try:
        seconds = durations.seconds(value)
    except ValueError:
        raise custom_error("duration", "this is not a duration", DURATION_HINT) from None
    if seconds > MAX_DURATION:
        raise custom_error("duration", "this is longer than a year", DURATION_HINT)
    return seconds


def _positive(value: float) -> float:
    if value <= 0:
        raise custom_error("duration", "this must be longer than no time at all", DURATION_HINT)
    return value


def workflow_name(name: str) -> str:
    """The name, if it is one a workflow can have.

    Raises:
        PydanticCustomError: it is not.
    """
    if len(name) > MAX_NAME:
        message = f"a name has at most {MAX_NAME} characters"
        raise custom_error("workflow_name", message, "shorten the name")
    if WORKFLOW_NAME.fullmatch(name) is None:
        message = (
            "this cannot be the name of a workflow: no part of it may be empty, start with a dot "
            "or hold special characters"
        )
        raise custom_error("workflow_name", message, WORKFLOW_NAME_HINT)
    return name


def _printable(text: str) -> str:
    if not text.isprintable():
        raise custom_error("printable", "this must be one line of readable characters", "")
    return text


Duration = Annotated[float, BeforeValidator(_seconds), WithJsonSchema(DURATION_SCHEMA)]
"""Seconds, from a number or a text with a unit."""

TimeLimit = Annotated[Duration, AfterValidator(_positive)]

WorkflowName = Annotated[
    str,
    AfterValidator(workflow_name),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME}),
]

Id = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_printable)]

Label = Annotated[str, Field(max_length=500)]


class FormatModel(BaseModel):
    """What all objects of the format have in common."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, validate_default=False
    )


class RetryPolicy(FormatModel):
    """When and how often a failed step is tried again."""

    max_attempts: int = Field(
        default=3, ge=1, le=100, description="Tries in all, the first included."
    )
    delay: Duration = Field(
        default=1.0, description="Time from the first failure to the second try."
    )
    backoff: float = Field(
        default=2.0, ge=1, le=100, description="Factor from one delay to the next."
    )
    max_delay: Duration = Field(default=60.0, description="The longest delay.")
    jitter: float = Field(
        default=0.1, ge=0, le=1, description="Share of each delay that chance may take away."
    )
    retry_on: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list[str],
        max_length=50,
        description="Codes (`http.status`) or categories (`retriable`, `fatal`) of errors that "
        "are tried again; empty means every retriable error.",
    )

    def policy(self) -> Retry:
        """The policy as the runtime knows it."""
        return Retry(
            attempts=self.max_attempts,
            delay=self.delay,
            backoff=self.backoff,
            max_delay=self.max_delay,
            jitter=self.jitter,
            on=tuple(self.retry_on),
        )


class HistorySettings(FormatModel):
    """What is kept of each execution, and for how long."""

    capture: Literal["full", "errors", "minimal", "off"] = Field(
        default=RuntimeSettings().capture,
        description="`full` keeps all data, `errors` only that of failed executions, `minimal` "
        "none, `off` no record at all.",
    )
    retention_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days after which records are removed."
    )
    redact: list[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        default_factory=list[str],
        max_length=100,
        description="JSONPaths of values that are never kept, such as `$..card`.",
    )
    max_bytes: int = Field(
        default=65_536, ge=256, le=16_777_216, description="Longest JSON text kept of one value."
    )


class Settings(FormatModel):
    """How the workflow runs."""

    timeout: TimeLimit | None = Field(
        default=300.0,
        description="Longest duration of an execution, and of a durable one from one wait to the "
        "next; null sets no limit.",
    )
    memory: int | None = Field(default=None, ge=64, le=32_768, description="Memory in MiB.")
    concurrency: int | None = Field(
        default=None, ge=1, le=10_000, description="Executions at the same time; others wait."
    )
    history: HistorySettings = Field(default_factory=HistorySettings)
    on_error: WorkflowName | None = Field(
        default=None, description="Workflow that is called when an execution fails."
    )
    retry: RetryPolicy | None = Field(default=None, description="Policy for executions that fail.")
    timezone: Annotated[str, Field(max_length=100)] = Field(
        default="UTC", description="Time zone of times without one, such as `Europe/Berlin`."
    )
    durable: bool | None = Field(
        default=None,
        description="Whether executions survive crashes, and take up no process while they wait. "
        "By default those of workflows do that wait for a webhook, a condition, a moment or more "
        "than 30 seconds, or for a call of a durable workflow.",
    )

    def runtime(self) -> RuntimeSettings:
        """The settings as the runtime knows them, `durable` only where the workflow says so."""
        return RuntimeSettings(
            timeout=self.timeout,
            memory=self.memory,
            concurrency=self.concurrency,
            capture=self.history.capture,
            redact=tuple(self.history.redact),
            max_bytes=self.history.max_bytes,
            on_error=self.on_error,
            retry=None if self.retry is None else self.retry.policy(),
            timezone=self.timezone,
            durable=self.durable is True,
        )


class NodeSpec(FormatModel):
    """A node on the canvas."""

    id: Id = Field(description="Unique in the workflow; also the node's name in expressions.")
    type: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="Node type, such as `http.request`."
    )
    label: Label = Field(default="", description="What the canvas shows.")
    parameters: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="Values, with `{{ expressions }}` in texts."
    )
    x: float = 0.0
    y: float = 0.0
    retry: RetryPolicy | None = Field(default=None, description="Tries again when the step fails.")
    timeout: TimeLimit | None = Field(default=None, description="Longest duration of one try.")
    notes: str = Field(default="", description="For people; has no effect.")


class Connection(FormatModel):
    """A wire from an output port to an input port."""

    source_id: Annotated[str, Field(max_length=MAX_NAME)]
    source_port: Annotated[str, Field(max_length=MAX_NAME)]
    target_id: Annotated[str, Field(max_length=MAX_NAME)]
    target_port: Annotated[str, Field(max_length=MAX_NAME)]


class WorkflowSpec(FormatModel):
    """One workflow."""

    name: WorkflowName = Field(description="Unique in the project: `/#__cloud__/ProcessOrder`.")
    description: Annotated[str, Field(max_length=10_000)] = ""
    settings: Settings = Field(default_factory=Settings)
    nodes: list[NodeSpec] = Field(description="The nodes, in any order.")
    connections: list[Connection] = Field(
        default_factory=list[Connection], description="The wires between them."
    )


class WorkflowFile(WorkflowSpec):
    """A file with one workflow."""

    schema_url: str | None = Field(default=None, alias="$schema", max_length=2_000)


class Bundle(FormatModel):
    """A file with several workflows."""

    schema_url: str | None = Field(default=None, alias="$schema", max_length=2_000)
    components: list[WorkflowSpec] = Field(min_length=1, description="The workflows.")
