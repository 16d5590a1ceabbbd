from __future__ import annotations

import os
import socket

import pytest
from nodegx.providers.aws import operations
from nodegx.providers.aws.steps import Message, Outcome
from nodegx.providers.aws.troubles import Locked, explain, first

LOCK = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to "
    "end or delete the lock file with `pulumi cancel`.\n"
    "  file:///x/.pulumi/locks/a.json: created by {user}@{host} (pid {pid}) at 2026-11-23T10:00:00Z\n"
)
ENDED = 2**22 + 1
"""A process id that Linux does not give."""


def lock(host: str, pid: int) -> str:
    return LOCK.format(user="ada", host=host, pid=pid)


def test_somebody_else_deploys() -> None:
    found = explain(lock("build-7", 4711))
    assert isinstance(found, Locked)
    assert found.message.startswith("ada on build-7, since 2026-11-23T10:00:00Z, is deploying")
    assert "--unlock" in found.hint
    assert (found.process, found.host) == (4711, "build-7")


@pytest.mark.parametrize(
    ("text", "message", "kind"),
    [
        ("error: no stack named 'organization/shop/x' found", "no stack 'x'", "not found"),
        (
            "error: incorrect passphrase",
            "passphrase of the stack's secrets is wrong",
            "environment",
        ),
        (
            "error: constructing secrets manager: passphrase must be set with ...",
            "passphrase of the stack's secrets is needed",
            "environment",
        ),
        ("error: something\nerror: the last of all\n", "pulumi: the last of all", "failure"),
        ("", "it gave no reason", "failure"),
    ],
)
def test_what_the_command_says(text: str, message: str, kind: str) -> None:
    found = explain(text)
    assert message in found.message
    assert found.kind == kind


def test_errors_name_their_resource_once() -> None:
    urn = "urn:pulumi:dev::shop::aws:lambda/function:Function::orders"
    messages = [Message("error", f"broken {n}", urn) for n in range(5)]
    text = first([*messages, Message("error", "update failed")])
    assert text == "orders: broken 0; orders: broken 1; orders: broken 2 (and 2 more)"
    assert first([Message("error", "update failed")]) == "the operation failed"


class Refusing:
    """An engine whose first operation finds a lock. The real one is in test_engine."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.cancelled = 0
        self.runs = 0

    def run(self, operation: str, stack: str, **options: object) -> Outcome:
        self.runs += 1
        if self.runs == 1:
            raise explain(self.text)
        return Outcome()

    def cancel(self, stack: str) -> None:
        self.cancelled += 1


def attempt(engine: Refusing, **options: bool) -> list[str]:
    told: list[str] = []
    operations.run(engine, "up", "dev", taking_over=lambda: told.append("over"), **options)  # type: ignore[arg-type]
    return told


def test_a_lock_of_a_process_that_has_ended_is_taken() -> None:
    engine = Refusing(lock(socket.gethostname(), ENDED))
    assert attempt(engine) == ["over"]
    assert (engine.cancelled, engine.runs) == (1, 2)


@pytest.mark.parametrize(
    ("host", "pid"),
    [(socket.gethostname(), os.getpid()), ("elsewhere", ENDED)],
    ids=["this process", "another machine"],
)
def test_a_lock_of_somebody_at_work_is_not(host: str, pid: int) -> None:
    engine = Refusing(lock(host, pid))
    with pytest.raises(Locked):
        attempt(engine)
    assert engine.cancelled == 0


def test_a_lock_is_taken_where_somebody_wants_it() -> None:
    engine = Refusing(lock("elsewhere", 1))
    assert attempt(engine, unlock=True) == ["over"]
    assert engine.cancelled == 1
