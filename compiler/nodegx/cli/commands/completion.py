"""`nodegx completion`: scripts that teach a shell the command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class
from nodegx.cli.base import Command, State, pass_state
from nodegx.cli.output import json_document, line

HOW = {
    "bash": 'eval "$(nodegx completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(nodegx completion zsh)"   # in ~/.zshrc',
    "fish": "nodegx completion fish > ~/.config/fish/completions/nodegx.fish",
}
VARIABLE = "_NODEGX_COMPLETE"
"""The variable through which a shell asks the command for completions; click derives its name."""


@click.command(
    cls=Command,
    epilog="\b\nTo turn it on:\n" + "\n".join(f"  {text}" for text in HOW.values()),
)
@click.argument("shell", type=click.Choice(list(HOW)))
@pass_state
def completion(state: State, shell: str) -> None:
    """Print a shell completion script."""
    from nodegx.cli.main import main

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell} is not supported here")
    script = found(main, {}, "nodegx", VARIABLE).source()
    if state.json:
        json_document({"shell": shell, "script": script, "install": HOW[shell]})
    else:
        line(script)
