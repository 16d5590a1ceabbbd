"""What commands for deployed projects share: stacks, passphrases, progress, confirmation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from .base import State
from .errors import CliError
from .exit_codes import ExitCode
from .output import clean, is_terminal, line, size, style, table
from .progress import progress
from .projects import built_workflows, find_root, open_project, resolve, short_name

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.engine import Engine
    from nodegx.providers.aws.package import Bundle
    from nodegx.providers.aws.prepare import Prepared

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def complete_stack(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of stacks, for shells."""
    from pathlib import Path

    found = ctx.find_root().obj
    directory = found.directory if isinstance(found, State) else None
    root = find_root(directory or Path.cwd())
    if root is None:
        return []
    from nodegx.providers.aws.stackfiles import stack_names

    return [CompletionItem(name) for name in stack_names(root) if name.startswith(incomplete)]


def stack_option(function: Decorated) -> Decorated:
    """`--stack`."""
    return click.option(
        "--stack",
        metavar="NAME",
        shell_complete=complete_stack,
        help="Stack to work on.  [default: the selected one]",
    )(function)


def local_option(function: Decorated) -> Decorated:
    """`--local`."""
    return click.option(
        "--local",
        is_flag=True,
        help="In an emulated cloud on this machine: needs no account. The same as --stack local.",
    )(function)


def local_stack(state: State, stack: str | None, *, local: bool, start: bool = False) -> str | None:
    """The stack that is meant; the emulated cloud is started for `local`, if `start` says so.

    Raises:
        CliError: two stacks are named, or there is no project.
        ProviderError: the emulated cloud cannot be started.
    """
    from nodegx.providers.aws.stackfiles import LOCAL

    if local and stack not in (None, LOCAL):
        raise CliError("--local is a stack of its own: leave --stack out", ExitCode.USAGE)
    if not local and stack != LOCAL:
        return stack
    if start:
        from nodegx.providers.aws.local import start as start_cloud

        start_cloud(open_project(state).root, lambda text: line(text, err=True))
    return LOCAL


def yes_option(function: Decorated) -> Decorated:
    """`--yes`."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(function)


def open_deployment(state: State, stack: str | None) -> Deployment:
    """The project in a stack.

    Raises:
        CliError: there is no project.
        ProviderError: there is no such stack.
    """
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.stackfiles import stack_names
    from nodegx.providers.aws.troubles import unknown_stack

    project = open_project(state)
    deployment = Deployment.of(project, stack)
    if not deployment.file.exists and stack_names(project.root):
        raise unknown_stack(deployment.stack)
    return deployment


def workflow_slug(project: Project, name: str) -> str:
    """The directory of the workflow that people mean; compiles the project if it never was.

    Raises:
        CliError: none or several are called that.
    """
    if not built_workflows(project.build):
        from nodegx.compiler.build.project import build_project

        build_project(project.root)
    return resolve(name, built_workflows(project.build)).slug


def workflow_slugs(project: Project, names: Sequence[str]) -> list[str]:
    """The directories of some workflows, or of all if none is named."""
    slugs = [workflow_slug(project, name) for name in names]
    return slugs or [workflow.slug for workflow in built_workflows(project.build)]


def prepare_bundles(state: State, deployment: Deployment) -> Prepared:
    """Compiles and bundles a project, and shows how far it is.

    Raises:
        DiagnosticError: workflows have errors, or ask for what AWS does not have.
        ProviderError: a package cannot be had.
    """
    from nodegx.cli.findings import report as show_findings
    from nodegx.providers.aws.prepare import prepare

    made_for: dict[str, Any] = {}
    if deployment.is_local:
        from nodegx.providers.aws import local

        root = deployment.project.root
        made_for = {"wheels": local.packages(root), "platform": local.here()}
    with progress("preparing", quiet=state.json) as told:
        prepared = prepare(
            deployment.project,
            **made_for,
            progress=lambda verb, done, total, name: told(done, total, f"{verb} {name}"),
        )
    if prepared.warnings and not state.json:
        show_findings(prepared.warnings, err=True)
    return prepared


def show_sizes(bundles: Sequence[Bundle]) -> None:
    """A table of what each bundle consists of."""
    rows = [
        (
            clean(short_name(bundle.workflow)),
            size(bundle.sizes.code),
            size(bundle.sizes.runtime),
            size(bundle.sizes.packages),
            size(bundle.zipped) if bundle.zipped else bundle.delivery.value,
            "" if not bundle.reused else "unchanged",
        )
        for bundle in bundles
    ]
    headings = ("workflow", "code", "runtime", "packages", "zip", "")
    table(headings, rows, right=(1, 2, 3, 4), whole=(1, 2, 3, 4, 5))


def bundle_data(bundle: Bundle) -> dict[str, Any]:
    """A bundle as JSON data; sizes in bytes."""
    return {
        "workflow": bundle.workflow,
        "slug": bundle.slug,
        "path": str(bundle.path),
        "delivery": bundle.delivery.value,
        "sha256": bundle.sha256 or None,
        "zipped": bundle.zipped,
        "code": bundle.sizes.code,
        "runtime": bundle.sizes.runtime,
        "packages": bundle.sizes.packages,
        "unchanged": bundle.reused,
    }


def open_engine(deployment: Deployment, *, is_new: bool = False) -> Engine:
    """The engine; asks for the passphrase of the stack's secrets, if a person is there.

    Raises:
        ProviderError: there is no engine, or no passphrase.
    """
    from nodegx.providers.aws import operations

    def ask(prompt: str) -> str:
        if not sys.stdin.isatty() or not is_terminal(sys.stderr):
            return operations.no_passphrase(prompt)
        answer: str = click.prompt(
            prompt,
            hide_input=True,
            confirmation_prompt=is_new,
            err=True,
            default="",
            show_default=False,
        )
        return answer

    return operations.open_engine(deployment, ask, is_new=is_new)


def make_stack(engine: Engine, stack: str, state: State) -> None:
    """Makes a stack in the backend, unless it is there."""
    from nodegx.providers.aws import operations

    if not operations.is_known(engine, stack):
        engine.init(stack)
        if not state.json:
            line(f"{style('+', 'green')} stack {stack}")


def confirm(question: str, *, yes: bool) -> None:
    """Goes on only if somebody agrees.

    Raises:
        CliError: nobody can be asked.
        click.Abort: they do not.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CliError(
            "nobody is there to confirm", ExitCode.USAGE, hint="--yes goes on without asking"
        )
    click.confirm(question, abort=True, err=True)


def show_addresses(deployment: Deployment, prepared: Prepared, outputs: dict[str, Any]) -> None:
    """Where the workflows are reached, and where to look at how they do."""
    from nodegx.compiler.targets.aws.plan import HttpTrigger

    url = str(outputs.get("url") or "").rstrip("/")
    for function, trigger in prepared.plan.triggers():
        if not isinstance(trigger, HttpTrigger) or not url:
            continue
        for route in trigger.routes:
            method, _, path = route.partition(" ")
            if method not in ("HEAD", "OPTIONS"):
                name = style(clean(short_name(function.workflow)), bold=True)
                line(f"  {name}  {method} {url}{clean(path)}")
    if outputs.get("dashboard") and not deployment.is_local:
        region = deployment.cloud.region
        page = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        line(
            f"  {style('dashboard', dim=True)}  {page}#dashboards/dashboard/{outputs['dashboard']}"
        )
