"""Histories and unfinished executions, on this machine, in a database or in the cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodegx.runtime.errors import NodegxError

from .errors import CliError
from .exit_codes import ExitCode
from .projects import built_workflows, resolve

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.runtime.durable.state import RunState
    from nodegx.runtime.durable.store import RunStore
    from nodegx.runtime.history.store import HistoryStore

DATABASE_URL = "NODEGX_DATABASE_URL"
"""The variable that names the database of a project, in the environment or in `.env`."""
RUNS = "runs.sqlite3"


class Stores(NamedTuple):
    """Where the executions of a project are.

    `history` records them; `runs` has those that have not ended, or have failed. `wake` is told of
    what may go on now, where no host looks by itself.
    """

    history: HistoryStore
    runs: RunStore
    wake: Callable[[RunState], None]


def full_name(project: Project, name: str) -> str:
    """The workflow people mean; a full name is taken as it is: it may be gone from the project."""
    if name.startswith("/"):
        return name
    return resolve(name, built_workflows(project.build)).name


def database_url(project: Project) -> str | None:
    """The URL of the database that a project keeps its executions in; None if it keeps them in
    files. It may hold a password."""
    from nodegx.server.environment import environment

    return environment(project.root).get(DATABASE_URL) or None


def targets(project: Project) -> tuple[str | Path, str | Path]:
    """Where a project keeps its history, and its unfinished executions: both in one database, or
    in files that lie side by side."""
    url = database_url(project)
    if url is not None:
        return url, url
    return project.history_path, project.history_path.with_name(RUNS)


@contextlib.contextmanager
def open_store(project: Project, stack: str | None) -> Generator[HistoryStore | None]:
    """The history of a stack, or of this project; None where nothing has been recorded yet.

    Raises:
        ProviderError: there is no such stack, or there are no credentials.
        CliError: the stack is not deployed.
    """
    if stack is None:
        target, _ = targets(project)
        if isinstance(target, Path) and not target.exists():
            yield None
            return
        from nodegx.runtime.history.stores import open_history

        with contextlib.closing(open_history(target)) as local:
            yield local
        return
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.history import open_history as open_deployed

    deployment = Deployment.of(project, stack)
    with contextlib.closing(open_deployed(deployment)) as store, _made(deployment):
        yield store


@contextlib.contextmanager
def _deployed(project: Project, stack: str) -> Generator[Stores]:
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.history import open_history as open_deployed
    from nodegx.providers.aws.runs import Wake, open_runs

    deployment = Deployment.of(project, stack)
    with (
        contextlib.closing(open_deployed(deployment)) as history,
        contextlib.closing(open_runs(deployment)) as runs,
        _made(deployment),
    ):
        yield Stores(history, runs, Wake(deployment, runs))


@contextlib.contextmanager
def _made(deployment: Deployment) -> Generator[None]:
    """Says it in words if a stack has no table."""
    try:
        yield
    except NodegxError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise CliError(
            f"{deployment.stack} has no history in {deployment.cloud.region}",
            ExitCode.NOT_FOUND,
            hint=f"`nodegx deploy --stack {deployment.stack}` makes it",
        ) from None


@contextlib.contextmanager
def open_stores(project: Project, stack: str | None) -> Generator[Stores | None]:
    """The history and the unfinished executions of a stack, or of this project; None where nothing
    has been recorded yet.

    Raises:
        ProviderError: there is no such stack, or there are no credentials.
        CliError: the stack is not deployed.
        StoreUnavailable: the database cannot be reached.
    """
    if stack is not None:
        with _deployed(project, stack) as deployed:
            yield deployed
        return
    recorded, unfinished = targets(project)
    places = [place for place in (recorded, unfinished) if isinstance(place, Path)]
    if places and not any(place.exists() for place in places):
        yield None
        return
    from nodegx.runtime.durable.stores import open_runs
    from nodegx.runtime.history.stores import open_history

    with (
        contextlib.closing(open_history(recorded)) as history,
        contextlib.closing(open_runs(unfinished)) as runs,
    ):
        yield Stores(history, runs, _looks_by_itself)


def _looks_by_itself(_: RunState) -> None:
    """Servers look for what may go on."""
