"""Shows how a deployment goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .output import clean, duration, line, plural, style
from .reviews import step_line

if TYPE_CHECKING:
    from nodegx.providers.aws.canary import Look
    from nodegx.providers.aws.publish import Published
    from nodegx.providers.aws.steps import Message, Step

PLUGIN_ON_PATH = "using pulumi-resource-"
"""How the engine says that it uses a plugin which somebody chose to put there."""


class Lines:
    """Prints a line for whatever is done.

    Args:
        quiet: prints nothing on standard output, which is for JSON then.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, text: str) -> None:
        """Something that people should know."""
        line(clean(text), err=True)
        sys.stderr.flush()

    def step(self, step: Step) -> None:
        """Something happens to a resource; shown once it is done."""
        if self._quiet or step.is_component or not step.changes or step.phase == "start":
            return
        mark = f"{style('✗', 'red')} " if step.phase == "failed" else ""
        line(mark + step_line(step))
        sys.stdout.flush()

    def message(self, message: Message) -> None:
        """The engine warns; errors come at the end."""
        if message.severity == "warning" and not message.text.startswith(PLUGIN_ON_PATH):
            line(f"{style('!', 'yellow')} {clean(message.text, newlines=True)}", err=True)

    def published(self, published: Published) -> None:
        """A version takes the place of another."""
        if not self._quiet:
            moved = style(f"version {published.before} → {published.version}", dim=True)
            line(f"{style('~', 'yellow')} {clean(published.slug)}  {moved}")
            sys.stdout.flush()

    def look(self, look: Look) -> None:
        """What the watch over a canary has seen."""
        runs, failures = plural(look.invocations, "run"), plural(look.errors, "failure")
        line(style(f"  {duration(look.seconds)}: {runs}, {failures}", dim=True), err=True)
        for trouble in look.troubles:
            line(f"{style('✗', 'red')} {clean(trouble.slug)}: {clean(trouble.text)}", err=True)
        sys.stderr.flush()
