"""An operation of the engine, as it is followed from this process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

from nodegx.providers.errors import ProviderError

from . import troubles
from .steps import Message, Outcome, Step

PATIENCE = 3.0
"""Seconds between asking a process to end and ending it."""

OnStep = Callable[[Step], None]
OnMessage = Callable[[Message], None]


def run(
    request: Mapping[str, Any],
    env: Mapping[str, str],
    *,
    on_step: OnStep = lambda step: None,
    on_message: OnMessage = lambda message: None,
) -> Outcome:
    """Does an operation in a process of its own.

    The first Ctrl-C lets the engine finish what is under way and stop; the next one stops it where
    it is.

    Args:
        request: what to do; see `worker`.
        env: environment of the process.
        on_step: told of every step as it begins and ends.
        on_message: told of what the engine has to say.

    Raises:
        ProviderError: it failed; what was done before stays done and known.
        KeyboardInterrupt: it was stopped.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "nodegx.providers.aws.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            env=dict(env),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C comes to us alone, and we pass it on
        )
        reader = _Reader(process, on_step, on_message, str(request["stack"]))
        return reader.read(json.dumps(request), printed)


class _Reader:
    """Reads what a worker writes, and passes Ctrl-C on to it."""

    def __init__(
        self, process: subprocess.Popen[str], on_step: OnStep, on_message: OnMessage, stack: str
    ) -> None:
        self._process = process
        self._on_step = on_step
        self._on_message = on_message
        self._stack = stack
        self._outcome = Outcome()
        self._failure: dict[str, str] | None = None
        self._finished = False
        self._interrupts = 0

    def read(self, request: str, printed: IO[str]) -> Outcome:
        """Follows the operation to its end; `printed` is what is not for us."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        process.stdin.close()
        begun = time.monotonic()
        try:
            while not self._finished:
                try:
                    for line in process.stdout:
                        self._take(line)
                    self._finished = True
                except KeyboardInterrupt:
                    self._interrupt()
        finally:
            self._end()
        printed.seek(0)
        rest = printed.read()
        if self._interrupts:
            raise KeyboardInterrupt
        if self._failure is not None:
            raise self._explain(self._failure)
        if process.returncode:
            raise ProviderError(
                f"the engine has ended early: {troubles.last(rest)}", kind="failure"
            )
        self._outcome.seconds = time.monotonic() - begun
        return self._outcome

    def _take(self, line: str) -> None:
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        for kind, data in found.items():
            if kind == "step":
                step = Step.from_json(data)
                if step.phase != "start":
                    self._outcome.steps.append(step)
                self._on_step(step)
            elif kind == "message":
                message = Message(**data)
                self._outcome.messages.append(message)
                self._on_message(message)
            elif kind == "summary":
                self._outcome.changes = data["changes"]
            elif kind == "result":
                self._outcome.outputs = data["outputs"]
            elif kind == "failure":
                self._failure = data

    def _interrupt(self) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            text = "stopping once what is under way is done; Ctrl-C again stops at once"
            self._on_message(Message("warning", text))
        os.killpg(self._process.pid, signal.SIGINT if self._interrupts < 3 else signal.SIGKILL)

    def _end(self) -> None:
        if self._process.poll() is None:
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGTERM)
                self._process.wait()

    def _explain(self, failure: Mapping[str, str]) -> ProviderError:
        errors = [message for message in self._outcome.messages if message.severity == "error"]
        if failure["type"] == "StackNotFoundError":
            return troubles.unknown_stack(self._stack)
        if errors and "locked by" not in failure["text"]:
            return ProviderError(
                troubles.first(errors), troubles.hint_for(errors[0].text), "failure"
            )
        return troubles.explain(failure["text"])
