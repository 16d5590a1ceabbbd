"""A project: the directory with `nodegx.json`, its workflows and its variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, Field, JsonValue, ValidationError

from .checks.findings import Findings
from .checks.model_errors import report
from .diagnostics import Diagnostic, DiagnosticError
from .model import FormatModel, custom_error
from .read import read

FILE_NAME: Final = "nodegx.json"
SECRET_PREFIX: Final = "NODEGX_SECRET_"  # noqa: S105 - a prefix of names, no secret

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def _inside(path: str) -> str:
    """A directory of the project; what is built is also removed, so it must not lie elsewhere."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    outside = path.startswith(("/", "\\", "~")) or ".." in parts or _DRIVE.match(path)
    if outside or not parts or not path.isprintable():
        raise custom_error(
            "path", "this must be a directory inside the project", 'for example "workflows"'
        )
    return path


def _variable(name: str) -> str:
    if _IDENTIFIER.fullmatch(name) is None:
        hint = "use letters, digits and _, not starting with a digit"
        raise custom_error("variable", "this is not a name for a variable", hint)
    return name


def _environment(name: str) -> str:
    _variable(name)
    if name.upper().startswith(SECRET_PREFIX):
        message = "secrets are not environment variables of workflows"
        hint = f"read it as {{{{ secrets.{name[len(SECRET_PREFIX) :]} }}}}"
        raise custom_error("variable", message, hint)
    return name


def _line(text: str) -> str:
    if not text.isprintable():
        raise custom_error("printable", "this must be one line of readable characters", "")
    return text


Directory = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_inside)]
VariableName = Annotated[str, Field(max_length=200), AfterValidator(_variable)]
EnvironmentName = Annotated[str, Field(max_length=200), AfterValidator(_environment)]
Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_line)]


class ProjectHistory(FormatModel):
    """Where executions are recorded, and for how long."""

    path: Line = Field(
        default=".nodegx/history.sqlite3", description="SQLite file, from the project's directory."
    )
    retention_days: int = Field(
        default=30, ge=1, le=3650, description="Days after which records are removed."
    )


class ProjectServer(FormatModel):
    """The address that `nodegx dev` and `nodegx serve` listen on."""

    host: Line = Field(default="127.0.0.1", description="Address or host name.")
    port: int = Field(default=8080, ge=0, le=65_535, description="TCP port; 0 takes a free one.")
    url: Line | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$",
        description="How the world reaches the server, for links to it: an http or https URL "
        "without a slash at its end.",
    )


class ProjectSpec(FormatModel):
    """`nodegx.json`."""

    schema_url: str | None = Field(default=None, alias="$schema", max_length=2_000)
    name: Line = Field(description="The project's name.")
    workflows: Directory = Field(default="workflows", description="Directory of workflow files.")
    build: Directory = Field(default="build", description="Directory for compiled workflows.")
    vars: dict[VariableName, JsonValue] = Field(
        default_factory=dict[str, JsonValue],
        description="Values that expressions read as `vars.NAME`.",
    )
    env: list[EnvironmentName] = Field(
        default_factory=list[str],
        description="Environment variables that expressions may read as `env.NAME`.",
    )
    history: ProjectHistory = Field(default_factory=ProjectHistory)
    server: ProjectServer = Field(default_factory=ProjectServer)


@dataclass(frozen=True, slots=True)
class Project:
    """A project on disk: its directory and what its `nodegx.json` says."""

    root: Path
    spec: ProjectSpec

    @property
    def name(self) -> str:
        """The project's name."""
        return self.spec.name

    @property
    def vars(self) -> dict[str, Any]:
        """The variables expressions read as `vars.NAME`."""
        return cast("dict[str, Any]", self.spec.vars)

    @property
    def env(self) -> list[str]:
        """The environment variables expressions may read."""
        return self.spec.env

    @property
    def workflows(self) -> Path:
        """The directory of workflow files."""
        return self.root / self.spec.workflows

    @property
    def build(self) -> Path:
        """The directory for compiled workflows."""
        return self.root / self.spec.build

    @property
    def history_path(self) -> Path:
        """The SQLite file with the history."""
        return self.root / self.spec.history.path

    def workflow_files(self) -> list[Path]:
        """All `*.json` files below `workflows`, hidden ones left out, in the order of their paths."""
        files = (
            path
            for path in self.workflows.rglob("*.json")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.workflows).parts)
        )
        return sorted(files, key=lambda path: path.relative_to(self.workflows).as_posix())


def find_project(start: Path) -> Path | None:
    """The directory with `nodegx.json` at or above `start`, or None."""
    start = start.resolve()
    return next((place for place in (start, *start.parents) if (place / FILE_NAME).is_file()), None)


def load_project(root: Path) -> Project:
    """Reads the project in `root`.

    Raises:
        DiagnosticError: `nodegx.json` is missing or wrong.
    """
    path = root / FILE_NAME
    if not path.is_file():
        message = "there is no nodegx.json here"
        hint = "`nodegx init` starts a project"
        raise DiagnosticError([Diagnostic("NX601", message, hint=hint, file=path)])
    source = read(path)
    if not isinstance(source.data, dict):
        found = Diagnostic("NX601", "nodegx.json holds one JSON object", hint='{"name": "shop"}')
        raise DiagnosticError(source.resolve([found]))
    data = cast("dict[str, Any]", source.data)
    try:
        return Project(root.resolve(), ProjectSpec.model_validate(data))
    except ValidationError as error:
        findings = Findings()
        report(error, ProjectSpec, data, (), findings)
        raise DiagnosticError(source.resolve(findings.all())) from None
