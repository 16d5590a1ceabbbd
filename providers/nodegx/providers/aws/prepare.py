"""From workflow files to a program with bundles: what comes before anything is done in the cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from nodegx.compiler.build.project import build_project
from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError
from nodegx.compiler.manifest import Manifest
from nodegx.compiler.project import Project
from nodegx.compiler.targets.aws.emit import Emitted, emit_aws
from nodegx.compiler.targets.aws.plan import Function, Plan

from .package import Bundle, package
from .platforms import Platform
from .wheels import Wheels

Progress = Callable[[str, int, int, str], None]
"""Told what is done, how much of it is done, of how much, and what comes next."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A project that is ready for the cloud.

    Args:
        home: the program's directory.
        plan: the plan it follows.
        manifests: of all workflows, by slug.
        bundles: of all workflows, by slug.
        warnings: what AWS does differently.
    """

    home: Path
    plan: Plan
    manifests: dict[str, Manifest]
    bundles: dict[str, Bundle]
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])


def write_program(
    project: Project, progress: Progress = lambda verb, done, total, name: None
) -> tuple[Emitted, list[Manifest], list[Diagnostic]]:
    """Compiles a project and writes its program for AWS; gives that, the workflows' manifests and
    all warnings.

    Raises:
        DiagnosticError: workflows have errors, or ask for what AWS does not have.
        OSError: the file system refused.
    """
    report = build_project(
        project.root, progress=lambda done, total, name: progress("compiling", done, total, name)
    )
    if not report.ok:
        raise DiagnosticError(report.diagnostics)
    manifests = [
        Manifest.model_validate_json((project.build / built.slug / "manifest.json").read_bytes())
        for built in report.workflows
    ]
    emitted = emit_aws(project, manifests)
    if not emitted.ok:
        raise DiagnosticError(emitted.diagnostics)
    return emitted, manifests, [*report.diagnostics, *emitted.diagnostics]


def on_platform(function: Function, platform: Platform | None) -> Function:
    """A function as it is bundled for a platform; None leaves it on its own."""
    if platform is None:
        return function
    runtime = f"python{platform.python}"
    return replace(function, runtime=runtime, architecture=platform.architecture)


def prepare(
    project: Project,
    *,
    wheels: Wheels | None = None,
    platform: Platform | None = None,
    progress: Progress = lambda verb, done, total, name: None,
) -> Prepared:
    """Compiles a project for AWS and bundles it; only what has changed is made again.

    Args:
        project: the project.
        wheels: where packages come from.
        platform: what packages are for, if not for the functions' own platform.
        progress: told how far it is.

    Raises:
        DiagnosticError: workflows have errors, or ask for what AWS does not have.
        ProviderError: a package cannot be had.
        OSError: the file system refused.
    """
    emitted, manifests, warnings = write_program(project, progress)
    bundles = package(
        project.root,
        emitted.directory,
        [on_platform(function, platform) for function in emitted.plan.functions],
        wheels=wheels,
        progress=lambda done, total, name: progress("bundling", done, total, name),
    )
    return Prepared(
        emitted.directory,
        emitted.plan,
        {manifest.slug: manifest for manifest in manifests},
        {bundle.slug: bundle for bundle in bundles},
        warnings,
    )
