"""Programs for clouds, written after workflows were compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import line, plural, style
from .projects import shown

if TYPE_CHECKING:
    from nodegx.compiler.manifest import Manifest
    from nodegx.compiler.targets.aws.emit import Emitted

TARGETS = ("aws",)


def write_program(root: Path, out: Path) -> Emitted:
    """Writes the program for AWS from what has been compiled into `out`.

    Raises:
        DiagnosticError: the project file is wrong.
        OSError: the file system refused.
    """
    from nodegx.compiler.project import load_project
    from nodegx.compiler.targets.aws.emit import emit_aws

    return emit_aws(load_project(root), list(compiled_manifests(out)), out)


def compiled_manifests(out: Path) -> Iterator[Manifest]:
    """The manifests of all compiled workflows in a build directory, by slug."""
    from nodegx.compiler.manifest import Manifest

    for path in sorted(out.glob("*/manifest.json")):
        yield Manifest.model_validate_json(path.read_bytes())


def show_program(emitted: Emitted) -> None:
    """Prints findings and what was written."""
    if emitted.diagnostics:
        from .findings import report as show_findings

        show_findings(emitted.diagnostics, err=True)
    if not emitted.ok:
        return
    for path in emitted.created:
        line(f"{style('+', 'green')} created {shown(path)}: settings of a stack, yours to edit")
    count = len(emitted.plan.functions)
    what = "written" if emitted.changed else "unchanged"
    line(f"program for AWS {what}: {plural(count, 'function')}  → {shown(emitted.directory)}")


def program_data(emitted: Emitted) -> dict[str, Any]:
    """A written program as JSON data."""
    from nodegx.compiler.diagnostics import to_json

    return {
        "ok": emitted.ok,
        "directory": str(emitted.directory),
        "changed": [str(path) for path in emitted.changed],
        "created": [str(path) for path in emitted.created],
        "functions": [function.slug for function in emitted.plan.functions],
        "diagnostics": to_json(emitted.diagnostics),
    }
