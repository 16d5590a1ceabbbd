"""`nodegx deploy`: puts a project into the cloud."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import (
    bundle_data,
    confirm,
    local_option,
    local_stack,
    make_stack,
    open_deployment,
    open_engine,
    prepare_bundles,
    show_addresses,
    show_sizes,
    stack_option,
    workflow_slugs,
    yes_option,
)
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.listening import Lines
from nodegx.cli.output import duration, json_document, line, style
from nodegx.cli.reviews import (
    OPERATIONS,
    changing,
    resources_data,
    review_data,
    show_resources,
    show_review,
    summary,
)
from nodegx.cli.when import seconds

if TYPE_CHECKING:
    from nodegx.providers.aws.deploy import Deployer, Result
    from nodegx.providers.aws.engine import Engine
    from nodegx.providers.aws.review import Review


@click.command(cls=Command)
@stack_option
@local_option
@click.option(
    "--target", type=click.Choice(("aws",)), default="aws", show_default=True, help="Where to."
)
@click.option("--code-only", is_flag=True, help="Publish new code alone: takes seconds.")
@click.option("--workflow", "names", multiple=True, metavar="NAME", help="With --code-only: these.")
@click.option(
    "--canary",
    type=click.IntRange(1, 99),
    metavar="PERCENT",
    help="Give new versions this share of the traffic first.",
)
@click.option(
    "--watch",
    "watched",
    type=seconds,
    default="5m",
    show_default=True,
    metavar="TIME",
    help="How long to watch a canary before it gets all the traffic.",
)
@click.option("--refresh", is_flag=True, help="Look at the cloud first: mends what others changed.")
@click.option("--unlock", is_flag=True, help="Take over from whoever deploys, or was cut off.")
@click.option("--sizes", is_flag=True, help="Show what each bundle consists of.")
@yes_option
@pass_state
def deploy(
    state: State,
    stack: str | None,
    local: bool,
    target: str,
    code_only: bool,
    names: tuple[str, ...],
    canary: int | None,
    watched: float,
    refresh: bool,
    unlock: bool,
    sizes: bool,
    yes: bool,
) -> int:
    """Put the project into the cloud.

    Compiles and bundles the workflows, shows what would change, and after a yes changes it. What
    could stand in the way is looked at before: credentials, names, sizes, quotas. A deployment
    that was cut off goes on with the next one.

    With --canary, new versions get a share of the traffic. If an alarm goes on or they fail more
    often than the versions before, they lose it again and the exit code is 1; else they get all.
    """
    from nodegx.providers.aws import preflight
    from nodegx.providers.aws.deploy import Deployer, Traffic
    from nodegx.providers.aws.review import review

    del target
    if names and not code_only:
        raise CliError("--workflow goes with --code-only", ExitCode.USAGE)
    deployment = open_deployment(state, local_stack(state, stack, local=local, start=True))
    prepared = prepare_bundles(state, deployment)
    if sizes and not state.json:
        show_sizes(list(prepared.bundles.values()))
    preflight.check_credentials(deployment)
    share = None if canary is None else canary / 100
    listener = Lines(quiet=state.json)
    deployer = Deployer(deployment, prepared, Traffic(share, watched), listener)
    begun = time.monotonic()
    if code_only:
        found = review(deployment, prepared)
        result = deployer.code(found, workflow_slugs(deployment.project, names))
    else:
        engine = _engine(state, deployer)
        found = review(deployment, prepared)
        outputs = engine.outputs(deployment.stack)
        functions = found.plan["functions"]
        preflight.check_all(deployment, functions, prepared.bundles.values(), outputs)
        if not yes and not deployment.is_local:
            _ask(state, deployer, engine, found, refresh=refresh, unlock=unlock)
        try:
            result = deployer.everything(engine, found, refresh=refresh, unlock=unlock)
        except KeyboardInterrupt:
            listener.say("what was done is known; `nodegx deploy` goes on from there")
            raise
        if deployment.is_local:
            _fill_secrets(deployer)
    if state.json:
        json_document({**_data(deployer, result), **review_data(found)})
    else:
        _show(deployer, result, time.monotonic() - begun)
    return ExitCode.OK if result.ok else ExitCode.FAILURE


def _fill_secrets(deployer: Deployer) -> None:
    """Gives secrets the values that `nodegx dev` would give them."""
    from nodegx.providers.aws import local
    from nodegx.server.environment import EnvironmentSecrets, environment

    deployment = deployer.deployment
    names = {name: deployment.names.secret(name) for name in deployer.prepared.plan.secrets}
    values = EnvironmentSecrets(environment(deployment.project.root))
    client = deployment.cloud.client("secretsmanager") if names else None
    for name in local.fill_secrets(client, names, values):
        line(
            f"{style('!', 'yellow')} the secret {name} has no value: set NODEGX_SECRET_{name}",
            err=True,
        )


def _engine(state: State, deployer: Deployer) -> Engine:
    deployment = deployer.deployment
    engine = open_engine(deployment)
    engine.check()
    make_stack(engine, deployment.stack, state)
    return engine


def _ask(
    state: State,
    deployer: Deployer,
    engine: Engine,
    found: Review,
    *,
    refresh: bool,
    unlock: bool,
) -> None:
    """Shows what would change, and goes on only if somebody agrees."""
    from nodegx.providers.aws import operations

    stack = deployer.deployment.stack
    outcome = operations.run(engine, "preview", stack, unlock=unlock, refresh=refresh)
    if not state.json:
        show_review(found)
        show_resources(outcome)
    if outcome.changed:
        confirm(f"deploy to {stack}?", yes=False)


def _show(deployer: Deployer, result: Result, took: float) -> None:
    stack = deployer.deployment.stack
    if result.outcome is not None:
        counts = Counter(OPERATIONS.get(step.op, "~") for step in changing(result.outcome.steps))
        line(summary(counts) or "no resource has changed")
    elif not result.published:
        line("no code has changed")
    if result.ok:
        line(
            f"{style('✓', 'green')} {stack} is up to date {style(f'({duration(took)})', dim=True)}"
        )
        if result.outcome is not None:
            show_addresses(deployer.deployment, deployer.prepared, result.outcome.outputs)
    else:
        line(f"{style('✗', 'red')} {stack} goes on with the versions from before", err=True)


def _data(deployer: Deployer, result: Result) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "ok": result.ok,
        "stack": deployer.deployment.stack,
        "region": deployer.deployment.cloud.region,
        "published": [
            {"slug": each.slug, "version": each.version, "before": each.before}
            for each in result.published
        ],
        "troubles": [{"slug": each.slug, "text": each.text} for each in result.troubles],
        "resources": None if outcome is None else resources_data(outcome),
        "outputs": None if outcome is None else outcome.outputs,
        "bundles": [bundle_data(bundle) for bundle in deployer.prepared.bundles.values()],
    }
