"""Histories, on this machine or in the cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING

from nodegx.runtime.errors import NodegxError

from .errors import CliError
from .exit_codes import ExitCode
from .projects import built_workflows, resolve

if TYPE_CHECKING:
    from nodegx.compiler.project import Project
    from nodegx.runtime.history.store import HistoryStore


def full_name(project: Project, name: str) -> str:
    """The workflow people mean; a full name is taken as it is: it may be gone from the project."""
    if name.startswith("/"):
        return name
    return resolve(name, built_workflows(project.build)).name


@contextlib.contextmanager
def open_store(project: Project, stack: str | None) -> Generator[HistoryStore | None]:
    """The history of a stack, or of this machine; None where nothing has been recorded yet.

    Raises:
        ProviderError: there is no such stack, or there are no credentials.
        CliError: the stack is not deployed.
    """
    if stack is None:
        if not project.history_path.exists():
            yield None
            return
        from nodegx.runtime.history.sqlite import SqliteStore

        local = SqliteStore(project.history_path)
        with contextlib.closing(local):
            yield local
        return
    from nodegx.providers.aws.deployment import Deployment
    from nodegx.providers.aws.history import open_history

    deployment = Deployment.of(project, stack)
    store = open_history(deployment)
    try:
        yield store
    except NodegxError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise CliError(
            f"{stack} has no history in {deployment.cloud.region}",
            ExitCode.NOT_FOUND,
            hint=f"`nodegx deploy --stack {stack}` makes it",
        ) from None
    finally:
        store.close()
