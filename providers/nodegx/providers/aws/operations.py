"""The engine on a deployment: where it keeps what it knows, and how it goes on after a break."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodegx.providers.errors import ProviderError

from .deployment import Deployment
from .engine import Engine, find_pulumi
from .steps import Outcome
from .troubles import Locked

BACKEND = "PULUMI_BACKEND_URL"
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - the name of a variable
PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"  # noqa: S105
STATE = Path(".nodegx") / "pulumi"
"""Where the engine keeps its state by default, in the project's directory."""
HOLD_ALIAS = "holdAlias"

Ask = Callable[[str], str]


def open_engine(deployment: Deployment, ask: Ask, *, is_new: bool = False) -> Engine:
    """The engine for a deployment.

    Args:
        deployment: the deployment.
        ask: gets the passphrase of its secrets from somebody, if no variable has it; may raise.
        is_new: whether the passphrase is being made up.

    Raises:
        ProviderError: there is no engine, or no passphrase.
    """
    env = dict(os.environ)
    pulumi = find_pulumi(env)
    if not env.get(BACKEND):
        state = deployment.project.root / STATE
        state.mkdir(parents=True, exist_ok=True)
        env[BACKEND] = state.as_uri()
    known = PASSPHRASE in env or env.get(PASSPHRASE_FILE)
    if deployment.file.needs_passphrase and not known:
        purpose = "new passphrase" if is_new else "passphrase"
        env[PASSPHRASE] = ask(f"{purpose} for the secrets of {deployment.stack}")
    if deployment.file.region:
        env["AWS_REGION"] = deployment.file.region
    return Engine(
        pulumi,
        deployment.home,
        deployment.names.label,
        env,
        secrets_provider=deployment.file.provider or "passphrase",
    )


def is_known(engine: Engine, stack: str) -> bool:
    """Whether the backend has a stack."""
    return any(each.name == stack for each in engine.stacks())


def run(
    engine: Engine,
    operation: str,
    stack: str,
    *,
    unlock: bool = False,
    taking_over: Callable[[], None] = lambda: None,
    **options: Any,
) -> Outcome:
    """Does an operation; if the stack is locked by a process of this machine that has ended, or
    somebody wants it so, its lock is taken.

    Args:
        engine: the engine.
        operation: see `Engine.run`.
        stack: name of the stack.
        unlock: takes the lock from whoever has it.
        taking_over: told when the lock is taken.
        options: see `Engine.run`.

    Raises:
        ProviderError: it failed, or somebody else is at work.
    """
    try:
        return engine.run(operation, stack, **options)
    except Locked as lock:
        if not unlock and not _has_ended(lock):
            raise
    taking_over()
    engine.cancel(stack)
    return engine.run(operation, stack, **options)


def hold_alias(deployment: Deployment) -> dict[str, str]:
    """Configuration by which new versions take no traffic yet."""
    return {f"{deployment.names.label}:{HOLD_ALIAS}": "true"}


def no_passphrase(prompt: str) -> str:
    """Asks nobody.

    Raises:
        ProviderError: always.
    """
    raise ProviderError(
        f"the {prompt} is needed", f"set {PASSPHRASE} or {PASSPHRASE_FILE}, or run it in a terminal"
    )


def _has_ended(lock: Locked) -> bool:
    """Whether the process that holds a lock is known to be gone."""
    if lock.process is None or lock.host != socket.gethostname():
        return False
    try:
        os.kill(lock.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
