"""What a build did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from nodegx.compiler.diagnostics import Diagnostic, has_errors


class State(StrEnum):
    """What became of one workflow."""

    WRITTEN = "written"  # at least one file was new or different
    UNCHANGED = "unchanged"  # every file was right already
    FAILED = "failed"  # it has errors; what an earlier build wrote was left alone


@dataclass(frozen=True, slots=True)
class Built:
    """One workflow. Sizes are in bytes: `size` of its own files, `runtime_size` of the runtime
    files beside them, which are `runtime_files` in number. Of a file with errors, the workflows
    of its last good build count as failed, or one without a name if there was none."""

    name: str
    slug: str
    source: str
    state: State
    size: int = 0
    runtime_size: int = 0
    runtime_files: int = 0


@dataclass(slots=True)
class BuildReport:
    """A whole build. `removed` are the slugs of outputs whose workflow is gone, `kept` those of
    them that had to stay because they hold other files as well. `seconds` is the wall time."""

    out: Path
    workflows: list[Built] = field(default_factory=list[Built])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    removed: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything compiled."""
        return not has_errors(self.diagnostics)

    def count(self, state: State) -> int:
        """How many workflows ended in `state`."""
        return sum(workflow.state is state for workflow in self.workflows)
