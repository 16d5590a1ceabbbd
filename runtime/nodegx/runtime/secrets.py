"""Access to secrets that remembers what was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .errors import FatalError
from .history.secret_values import SecretValues


class Secrets(Mapping[str, str]):
    """A host's secrets. Whatever is read becomes known to `values_read`, which keeps it out of
    histories, logs and messages; `read` has it by name."""

    __slots__ = ("_source", "read", "values_read")

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source
        self.read: dict[str, str] = {}
        self.values_read = SecretValues()

    def __getitem__(self, name: str) -> str:
        try:
            value = self._source[name]
        except KeyError:
            raise FatalError(f"There is no secret `{name}`", code="secret.missing") from None
        if value:
            self.read[name] = value
        self.values_read.add(value)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._source

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def __repr__(self) -> str:
        return f"<Secrets {', '.join(sorted(self._source))}>"
