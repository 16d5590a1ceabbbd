"""`nodegx stacks`: deployments of a project side by side, and what differs between them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from nodegx.cli.base import Group, State, pass_state
from nodegx.cli.deployments import (
    complete_stack,
    make_stack,
    open_deployment,
    open_engine,
    stack_option,
)
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import clean, json_document, line, style, table
from nodegx.cli.projects import open_project, shown

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.engine import Engine, StackInfo


@click.group(cls=Group)
def stacks() -> None:
    """Keep deployments side by side, such as dev and prod."""


@stacks.command("list")
@pass_state
def list_(state: State) -> int:
    """List stacks.

    A stack is known by its file in stacks/aws/; whether it is deployed is known where the engine
    keeps its state.
    """
    from nodegx.providers.aws.stackfiles import read_stack, selected_stack, stack_names

    project = open_project(state)
    known = _known(project)
    names = sorted({*stack_names(project.root), *known})
    selected = selected_stack(project.root) or (names[0] if len(names) == 1 else None)
    rows: list[dict[str, Any]] = []
    for name in names:
        file, info = read_stack(project.root, project.name, name), known.get(name)
        rows.append(
            {
                "name": name,
                "selected": name == selected,
                "production": file.production,
                "region": file.region,
                "resources": None if info is None else info.resources,
                "updated": None if info is None else info.updated,
                "file": shown(file.path) if file.exists else None,
            }
        )
    if state.json:
        json_document(rows)
        return ExitCode.OK
    if not rows:
        line("no stacks; `nodegx stacks init dev` makes one", err=True)
        return ExitCode.OK
    table(("", "stack", "region", "deployed", "file"), [_row(row) for row in rows], whole=(0, 1))
    return ExitCode.OK


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    deployed = "no"
    if row["resources"]:
        deployed = f"{row['resources']} resources, {str(row['updated'])[:16].replace('T', ' ')}"
    mark = style("▸", "green") if row["selected"] else ""
    name = style(row["name"], bold=row["selected"])
    production = style("  production", "yellow") if row["production"] else ""
    return mark, name + production, row["region"] or "", deployed, row["file"] or ""


def _known(project: Project) -> dict[str, StackInfo]:
    """The stacks in the backend, as far as it can be asked without anything being there."""
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.operations import open_engine as raw_engine
    from nodegx.providers.aws.stackfiles import StackFile
    from nodegx.providers.errors import ProviderError

    nowhere = StackFile(project.root, project.name, exists=False)
    deployment = Deployment(project, "", nowhere)
    if not (deployment.home / "Pulumi.yaml").is_file():
        return {}
    try:
        engine = raw_engine(deployment, lambda prompt: "")
        return {info.name: info for info in engine.stacks()}
    except ProviderError:
        return {}  # without the engine, the files are all there is to list


@stacks.command()
@click.argument("name")
@click.option("--region", metavar="REGION", help="AWS region, such as eu-central-1.")
@click.option("--production", is_flag=True, help="Protect what holds data from being deleted.")
@pass_state
def init(state: State, name: str, region: str | None, production: bool) -> int:
    """Make a stack, and select it.

    Writes stacks/aws/Pulumi.NAME.yaml, if it is not there. Secrets in it are encrypted with a
    passphrase: keep that safe, and in PULUMI_CONFIG_PASSPHRASE where nobody can be asked.
    """
    from nodegx.compiler.targets.aws import program
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.prepare import write_program
    from nodegx.providers.aws.stackfiles import check_name, read_stack, select_stack

    project = open_project(state)
    check_name(name)
    emitted, _, _ = write_program(project)
    file = read_stack(project.root, project.name, name)
    if not file.exists:
        directory = shown(emitted.directory)
        text = program.stack(emitted.plan, name, production=production, program=directory)
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(text, "utf-8")
    deployment = Deployment(project, name, read_stack(project.root, project.name, name))
    engine = open_engine(deployment, is_new=True)
    make_stack(engine, name, state)
    if region:
        engine.set_config(name, "aws:region", region)
    select_stack(project.root, name)
    if state.json:
        json_document({"name": name, "file": str(file.path), "selected": True})
    else:
        line(f"stack {style(name, bold=True)} is selected; its settings: {shown(file.path)}")
    return ExitCode.OK


@stacks.command()
@click.argument("name", shell_complete=complete_stack)
@pass_state
def select(state: State, name: str) -> int:
    """Use a stack unless told another."""
    from nodegx.providers.aws.stackfiles import select_stack

    deployment = open_deployment(state, name)
    select_stack(deployment.project.root, name)
    if state.json:
        json_document({"name": name, "selected": True})
    else:
        line(f"stack {style(name, bold=True)} is selected")
    return ExitCode.OK


@stacks.command()
@stack_option
@click.option("--account", metavar="ID", help="Of this account.  [default: the credentials' own]")
@pass_state
def policy(state: State, stack: str | None, account: str | None) -> int:
    """Print what whoever deploys must be allowed to do.

    An IAM policy in JSON with the least that this project needs in this stack.
    """
    from nodegx.compiler.targets.aws.deployer import deployer_policy
    from nodegx.compiler.targets.aws.names import Place
    from nodegx.providers.aws.prepare import write_program
    from nodegx.providers.aws.stackfiles import features

    deployment = open_deployment(state, stack)
    emitted, _, _ = write_program(deployment.project)
    place = (
        deployment.place
        if account is None
        else Place(deployment.names, account, deployment.cloud.region)
    )
    slugs = [function.slug for function in emitted.plan.functions]
    json_document(deployer_policy(emitted.plan, place, features(deployment.file, slugs)))
    return ExitCode.OK


# ------------------------------------------------------------------------------ configuration


@stacks.group("config", cls=Group)
def config() -> None:
    """Settings of a stack: region, alarms, limits, secrets.

    Keys without a colon are the project's own: production, alarmEmail, functions.NAME.memory,
    secret.NAME; aws:region is the region.
    """


@config.command("get")
@click.argument("key", required=False)
@stack_option
@click.option("--show-secrets", is_flag=True, help="Show values of secrets.")
@pass_state
def get(state: State, key: str | None, stack: str | None, show_secrets: bool) -> int:
    """Show one setting, or all of them."""
    deployment, engine = _configured(state, stack)
    found = engine.config(deployment.stack, show_secrets=show_secrets)
    if key is None:
        if state.json:
            json_document(found)
        else:
            rows = [(clean(name), _shown(value)) for name, value in sorted(found.items())]
            table(("key", "value"), rows, whole=(0,))
        return ExitCode.OK
    full = _full_key(deployment, key)
    if full not in found:
        from nodegx.cli.errors import not_found

        raise not_found("setting", key, [_short_key(deployment, name) for name in found])
    if state.json:
        json_document({"key": full, "value": found[full]})
    else:
        line(_shown(found[full]))
    return ExitCode.OK


@config.command("set")
@click.argument("key")
@click.argument("value", required=False)
@stack_option
@click.option("--secret", is_flag=True, help="Encrypt the value.")
@pass_state
def set_(state: State, key: str, value: str | None, stack: str | None, secret: bool) -> int:
    """Change a setting.

    Without VALUE, it is asked for, or read from standard input: secrets then appear in no list of
    processes and in no shell's history. Dots lead inside: functions.process_order.memory.
    """
    deployment, engine = _configured(state, stack)
    if value is None:
        value = _read_value(key, secret=secret)
    engine.set_config(
        deployment.stack, _full_key(deployment, key), value, secret=secret, path=_is_path(key)
    )
    if state.json:
        json_document({"key": _full_key(deployment, key), "secret": secret})
    else:
        line(f"{clean(key)} is set in {deployment.stack}; `nodegx deploy` puts it into effect")
    return ExitCode.OK


@config.command("rm")
@click.argument("key")
@stack_option
@pass_state
def remove(state: State, key: str, stack: str | None) -> int:
    """Remove a setting."""
    deployment, engine = _configured(state, stack)
    engine.remove_config(deployment.stack, _full_key(deployment, key), path=_is_path(key))
    if state.json:
        json_document({"key": _full_key(deployment, key), "removed": True})
    else:
        line(f"{clean(key)} is removed from {deployment.stack}")
    return ExitCode.OK


def _configured(state: State, stack: str | None) -> tuple[Deployment, Engine]:
    from nodegx.providers.aws.prepare import write_program

    deployment = open_deployment(state, stack)
    if not (deployment.home / "Pulumi.yaml").is_file():
        write_program(deployment.project)
    engine = open_engine(deployment)
    make_stack(engine, deployment.stack, state)
    return deployment, engine


def _full_key(deployment: Deployment, key: str) -> str:
    return key if ":" in key else f"{deployment.names.label}:{key}"


def _short_key(deployment: Deployment, key: str) -> str:
    return key.removeprefix(f"{deployment.names.label}:")


def _is_path(key: str) -> bool:
    """Whether a key's dots lead inside; names of secrets are keys as they are."""
    name = key.rpartition(":")[2]
    return "." in name and not name.startswith("secret.")


def _shown(value: Any) -> str:
    return style("[secret]", dim=True) if value is None else clean(str(value))


def _read_value(key: str, *, secret: bool) -> str:
    if sys.stdin.isatty():
        value: str = click.prompt(key, hide_input=secret, err=True)
        return value
    value = sys.stdin.read().rstrip("\n")
    if not value:
        raise CliError(f"there is no value for {key}", ExitCode.USAGE)
    return value
