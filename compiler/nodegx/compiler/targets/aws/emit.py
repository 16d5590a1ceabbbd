"""`nodegx compile --target aws`: writes the Pulumi program and the code of the functions.

build/aws/__main__.py       the program
build/aws/Pulumi.yaml       its name, and where the stacks' files are
build/aws/requirements.txt  what it needs
build/aws/plan.json         the plan as data, for tools
build/aws/functions/        what goes into each function's bundle, but for packages
stacks/aws/                 a file a stack: written once, then the project's own
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nodegx.compiler.build.closure import runtime_files
from nodegx.compiler.build.writer import MANIFEST, Writer
from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError, has_errors
from nodegx.compiler.manifest import Manifest
from nodegx.compiler.project import Project
from nodegx.compiler.read import read

from . import program
from .entries import entry
from .findings import Finding
from .plan import Function, Plan
from .planning import make_plan

DIRECTORY = "aws"
FUNCTIONS = "functions"
STACKS = "stacks/aws"
FIRST_STACKS = {"dev": False, "prod": True}
"""Stacks that a new project gets, and whether they are for production."""
LOCAL_STACK = "Pulumi.local.yaml"
"""The file of the emulated cloud's stack, which comes and goes with it."""
OWN_FILES = ("handler.py", "handler.map.json", MANIFEST)


@dataclass(slots=True)
class Emitted:
    """What was written.

    Args:
        directory: the program's directory.
        plan: the plan it follows.
        changed: files that are new or different.
        created: files of stacks that did not exist; from now on they are the project's own.
        diagnostics: what AWS does differently, or what stopped everything.
    """

    directory: Path
    plan: Plan
    changed: list[Path] = field(default_factory=list[Path])
    created: list[Path] = field(default_factory=list[Path])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @property
    def ok(self) -> bool:
        """Whether the project can be deployed."""
        return not has_errors(self.diagnostics)


def plan_project(project: Project, manifests: Iterable[Manifest]) -> tuple[Plan, list[Diagnostic]]:
    """The plan of a project, and what AWS refuses or does differently."""
    spec = project.spec
    plan, findings = make_plan(project.name, project.vars, spec.history.retention_days, manifests)
    return plan, list(_placed(project, findings))


def emit_aws(project: Project, manifests: Sequence[Manifest], out: Path | None = None) -> Emitted:
    """Writes program and functions of a project that has been compiled.

    Nothing is written if there are errors. The same project gives the same bytes; files that are
    right already are left alone.

    Args:
        project: the project.
        manifests: of all its workflows.
        out: the build directory, with the compiled workflows; the project's own if None.

    Raises:
        OSError: the file system refused.
    """
    out = project.build if out is None else out
    directory = out / DIRECTORY
    plan, diagnostics = plan_project(project, manifests)
    if (directory / MANIFEST).exists():
        message = f"{directory} is the directory of a workflow"
        hint = "a workflow cannot be called Aws in a project for AWS: rename it"
        diagnostics.append(Diagnostic("NX606", message, hint=hint))
    emitted = Emitted(directory, plan, diagnostics=diagnostics)
    if not emitted.ok:
        return emitted
    directory.mkdir(parents=True, exist_ok=True)
    stacks = project.root / STACKS
    relative = Path(os.path.relpath(stacks, directory)).as_posix()
    texts = {
        "__main__.py": program.program(plan, stacks=relative),
        "Pulumi.yaml": program.settings(plan, stacks=relative),
        "requirements.txt": f"{_requirement()}\n",
        "plan.json": f"{json.dumps(plan.to_json(), indent=2, ensure_ascii=False)}\n",
    }
    for name, text in texts.items():
        if _write(directory / name, text):
            emitted.changed.append(directory / name)
    emitted.changed += _functions(plan, manifests, out, directory / FUNCTIONS)
    if {path.name for path in stacks.glob("Pulumi.*.yaml")} <= {LOCAL_STACK}:
        emitted.created += _stacks(plan, stacks, directory, project.root)
    return emitted


def _functions(
    plan: Plan, manifests: Iterable[Manifest], out: Path, directory: Path
) -> Iterator[Path]:
    """Writes what goes into the bundles; yields the directories that have changed."""
    by_slug = {manifest.slug: manifest for manifest in manifests}
    directory.mkdir(exist_ok=True)
    writer = Writer(directory)
    for function in plan.functions:
        files = _files(by_slug[function.slug], function, out / function.slug)
        sources = (files["handler.py"].decode(), files["entry.py"].decode())
        target = directory / function.slug
        present = [
            path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()
        ]
        runtime = runtime_files(*sources, runnable=False)
        if writer.place(function.slug, files, runtime, present).changed:
            yield target
    for target in directory.iterdir():
        if target.name not in by_slug and (target / MANIFEST).is_file():
            shutil.rmtree(target)
            yield target


def _files(manifest: Manifest, function: Function, compiled: Path) -> dict[str, bytes]:
    files = {name: (compiled / name).read_bytes() for name in OWN_FILES}
    return {**files, "entry.py": entry(manifest, function).encode()}


def _stacks(plan: Plan, stacks: Path, directory: Path, root: Path) -> Iterator[Path]:
    stacks.mkdir(parents=True, exist_ok=True)
    shown = directory.relative_to(root) if directory.is_relative_to(root) else directory
    for name, production in FIRST_STACKS.items():
        path = stacks / f"Pulumi.{name}.yaml"
        text = program.stack(plan, name, production=production, program=shown.as_posix())
        path.write_text(text, "utf-8")
        yield path


def _write(path: Path, text: str) -> bool:
    content = text.encode()
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return False
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    return True


def _requirement() -> str:
    try:
        return f"{program.REQUIREMENT}=={version('nodegx')}"
    except PackageNotFoundError:
        return program.REQUIREMENT


def _placed(project: Project, findings: Iterable[Finding]) -> Iterator[Diagnostic]:
    """The findings as diagnostics, at their places in the workflows' files."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.manifest.source, []).append(finding)
    for name, found in by_file.items():
        try:
            source = read(project.root / name)
        except DiagnosticError:  # the file has changed since it was compiled
            yield from (finding.diagnostic(()) for finding in found)
            continue
        yield from source.resolve([each.diagnostic(each.pointer(source.data)) for each in found])
