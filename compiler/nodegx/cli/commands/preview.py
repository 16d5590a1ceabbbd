"""`nodegx preview`: what a deployment would change and cost."""

from __future__ import annotations

from pathlib import Path

import click
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.deployments import (
    bundle_data,
    make_stack,
    open_deployment,
    open_engine,
    prepare_bundles,
    show_sizes,
    stack_option,
)
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.output import json_document, line
from nodegx.cli.reviews import (
    costs_data,
    resources_data,
    review_data,
    show_costs,
    show_resources,
    show_review,
)


@click.command(cls=Command)
@stack_option
@click.option(
    "--requests",
    type=click.IntRange(0),
    metavar="N",
    help="Runs of each workflow a month, for the costs.  [default: as measured]",
)
@click.option("--sizes", is_flag=True, help="Show what each bundle consists of.")
@click.option("--no-resources", is_flag=True, help="Leave out the resources: takes seconds less.")
@click.option("--refresh", is_flag=True, help="Look at the cloud first: finds what others changed.")
@click.option(
    "--prices", "price_file", type=click.Path(path_type=Path, exists=True), help="Other prices."
)
@pass_state
def preview(
    state: State,
    stack: str | None,
    requests: int | None,
    sizes: bool,
    no_resources: bool,
    refresh: bool,
    price_file: Path | None,
) -> int:
    """Show what a deployment would change and cost.

    First the workflows, then the resources, then an estimate of what each workflow costs a month:
    from its memory, the time its runs took so far, and the number of runs that --requests names.
    """
    from nodegx.providers.aws import operations
    from nodegx.providers.aws.prices import load_prices
    from nodegx.providers.aws.review import estimate_costs, local_metrics, review

    deployment = open_deployment(state, stack)
    prepared = prepare_bundles(state, deployment)
    found = review(deployment, prepared)
    estimate = estimate_costs(
        deployment,
        prepared,
        requests,
        prices=load_prices(deployment.cloud.region, price_file),
        local=local_metrics(deployment),
    )
    outcome = None
    if not no_resources:
        engine = open_engine(deployment)
        engine.check()
        make_stack(engine, deployment.stack, state)
        outcome = operations.run(engine, "preview", deployment.stack, refresh=refresh)
    bundles = list(prepared.bundles.values())
    if state.json:
        data = {
            "stack": deployment.stack,
            "region": deployment.cloud.region,
            **review_data(found),
            "resources": None if outcome is None else resources_data(outcome),
            "cost": costs_data(estimate),
            "bundles": [bundle_data(bundle) for bundle in bundles],
        }
        json_document(data)
        return ExitCode.OK
    show_review(found)
    if outcome is not None:
        show_resources(outcome)
    if sizes:
        line()
        show_sizes(bundles)
    show_costs(estimate)
    return ExitCode.OK
