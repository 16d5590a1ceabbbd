"""The `nodegx` command, put together from its parts."""

from __future__ import annotations

import click

from .base import Lazy, Root
from .exit_codes import MEANINGS

COMMANDS = {
    "init": Lazy("nodegx.cli.commands.init:init", "Start a project."),
    "check": Lazy("nodegx.cli.commands.check:check", "Look for mistakes in workflows."),
    "compile": Lazy("nodegx.cli.commands.compile:compile_", "Write Python handlers."),
    "run": Lazy("nodegx.cli.commands.run:run", "Run a workflow once and show each step."),
    "dev": Lazy("nodegx.cli.commands.dev:dev", "Serve all workflows and reload what changes."),
    "serve": Lazy("nodegx.cli.commands.serve:serve", "Serve all workflows until it is stopped."),
    "history": Lazy("nodegx.cli.commands.history:history", "Look at recorded executions."),
    "executions": Lazy(
        "nodegx.cli.commands.executions:executions",
        "Operate on executions that wait, run or have failed.",
    ),
    "dead-letters": Lazy(
        "nodegx.cli.commands.dead_letters:dead_letters", "Deal with failed executions."
    ),
    "events": Lazy("nodegx.cli.commands.events:events", "Send events to workflows."),
    "schedules": Lazy("nodegx.cli.commands.schedules:schedules", "See when workflows start."),
    "stacks": Lazy(
        "nodegx.cli.commands.stacks:stacks", "Keep deployments side by side, such as dev and prod."
    ),
    "preview": Lazy(
        "nodegx.cli.commands.preview:preview", "Show what a deployment would change and cost."
    ),
    "deploy": Lazy("nodegx.cli.commands.deploy:deploy", "Put the project into the cloud."),
    "rollback": Lazy(
        "nodegx.cli.commands.rollback:rollback", "Go back to an earlier version, within seconds."
    ),
    "versions": Lazy(
        "nodegx.cli.commands.versions:versions",
        "List deployments, or the versions of one workflow.",
    ),
    "invoke": Lazy(
        "nodegx.cli.commands.invoke:invoke", "Run a workflow in the cloud, and show how it ended."
    ),
    "logs": Lazy("nodegx.cli.commands.logs:logs", "Show what functions wrote to their logs."),
    "metrics": Lazy("nodegx.cli.commands.metrics:metrics", "Show how workflows are doing."),
    "drift": Lazy("nodegx.cli.commands.drift:drift", "Show what others changed in the cloud."),
    "destroy": Lazy(
        "nodegx.cli.commands.destroy:destroy", "Take a deployment down, with all that it holds."
    ),
    "nodes": Lazy("nodegx.cli.commands.nodes:nodes", "Look up node types."),
    "functions": Lazy("nodegx.cli.commands.functions:functions", "List expression functions."),
    "schema": Lazy("nodegx.cli.commands.schema:schema", "Print the JSON Schema of workflows."),
    "completion": Lazy(
        "nodegx.cli.commands.completion:completion", "Print a shell completion script."
    ),
}

EXIT_CODES = "\b\nExit codes:\n" + "\n".join(
    f"  {code.value:>3}  {text}" for code, text in MEANINGS.items()
)


@click.group(
    cls=Root,
    lazy=COMMANDS,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="nodegx", message="nodegx %(version)s")
def main() -> None:
    """Compiles Nodegx workflows to Python, runs them and shows what they did."""
