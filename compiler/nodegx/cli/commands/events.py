"""`nodegx events`: sends events to a running server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

import click
from nodegx.cli.base import Group, State, pass_state
from nodegx.cli.errors import CliError
from nodegx.cli.exit_codes import ExitCode
from nodegx.cli.inputs import parse_json
from nodegx.cli.output import clean, json_document, line, style
from nodegx.cli.projects import open_project

TIMEOUT = 30.0
"""Seconds to wait for the server's answer."""


@click.group(cls=Group)
def events() -> None:
    """Send events to workflows."""


@events.command()
@click.argument("name")
@click.option("--data", default="null", help="JSON; @FILE reads a file, - standard input.")
@click.option("--url", envvar="NODEGX_URL", help="The server.  [default: as in nodegx.json]")
@click.option(
    "--token",
    envvar="NODEGX_TOKEN",
    help="The server's token, where it has one; better in the environment variable NODEGX_TOKEN.",
)
@pass_state
def emit(state: State, name: str, data: str, url: str | None, token: str | None) -> None:
    """Send the event NAME to the workflows that wait for it.

    They run in a server that is already there, such as `nodegx dev`.
    """
    payload = parse_json(data)
    if url is None:
        server = open_project(state).spec.server
        url = f"http://{f'[{server.host}]' if ':' in server.host else server.host}:{server.port}"
    answer = _post(f"{url.rstrip('/')}/_nodegx/events/{quote(name, safe='')}", payload, token)
    if state.json:
        json_document(answer)
    else:
        line(f"{style('✓', 'green')} {clean(name)} sent, event {clean(str(answer['eventId']))}")


def _post(url: str, payload: Any, token: str | None) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise CliError(f"{url} is not an http address", ExitCode.USAGE)
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(  # noqa: S310  # checked above
        url, json.dumps(payload).encode(), headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise CliError(f"the server refused: {_reason(error)}") from None
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise CliError(
            f"no server answers at {url.partition('/_nodegx')[0]}: {reason}",
            ExitCode.ENVIRONMENT,
            hint="start one with `nodegx dev`, or name another with --url",
        ) from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        problem: Any = json.load(error)
        return clean(str(problem.get("detail") or problem["title"]))
    except (ValueError, KeyError, AttributeError, OSError):
        return f"status {error.code}"
