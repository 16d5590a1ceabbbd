"""Secrets and environment variables of a project on this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

PREFIX = "NODEGX_SECRET_"


class EnvironmentSecrets(Mapping[str, str]):
    """Secrets by name: `PAYMENT_KEY` is the variable `NODEGX_SECRET_PAYMENT_KEY`.

    Args:
        variables: the environment, what the `.env` file holds included.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._values: dict[str, str] = {}
        self.replace(variables)

    def replace(self, variables: Mapping[str, str]) -> None:
        """Takes the secrets from a new environment; who holds this mapping sees them."""
        self._values = {
            name.removeprefix(PREFIX): value
            for name, value in variables.items()
            if name.startswith(PREFIX)
        }

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<EnvironmentSecrets {', '.join(sorted(self._values))}>"


def environment(root: Path | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The process's environment (or `base`) over the project's `.env` file: what is set outside
    takes precedence.

    Args:
        root: directory of the `.env` file; None reads none.
    """
    variables: dict[str, str] = {}
    if root is not None:
        with contextlib.suppress(FileNotFoundError):
            variables = parse((root / ".env").read_text("utf-8"))
    variables.update(os.environ if base is None else base)
    return variables


def parse(text: str) -> dict[str, str]:
    """The variables of an `.env` file: `NAME=value` lines, `export` allowed; `#` starts a comment.
    In double quotes, `\\n`, `\\"` and `\\\\` are escapes; in single quotes nothing is."""
    variables: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, rest = line.strip().removeprefix("export ").partition("=")
        name = name.strip()
        if equals and name and not name.startswith("#"):
            variables[name] = _value(rest.strip())
    return variables


def _value(text: str) -> str:
    quote = text[:1]
    if quote == "'":
        return text[1:].partition("'")[0]
    if quote != '"':
        return text.partition(" #")[0].rstrip()
    value: list[str] = []
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    characters = iter(text[1:])
    for character in characters:
        if character == '"':
            break
        if character == "\\":
            following = next(characters, "")
            value.append(escapes.get(following, following))
        else:
            value.append(character)
    return "".join(value)
