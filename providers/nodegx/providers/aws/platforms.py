"""The machines functions run on, as Python's package installers name them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nodegx.providers.errors import ProviderError

FIRST_ON_AL2023 = 12
"""Minor of the first Python 3 that Lambda runs on Amazon Linux 2023."""
GLIBC, OLD_GLIBC = 34, 26
"""Minors of glibc 2 on Amazon Linux 2023, and on Amazon Linux 2 before it."""
OLDEST = {"arm64": 17, "x86_64": 5}
"""Minor of the first glibc 2 that manylinux wheels know on an architecture."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
UV_MINORS = (40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 28, 17)
"""The minors that uv knows by name; each includes all before it."""

_RUNTIME = re.compile(r"python3\.(\d+)")


@dataclass(frozen=True, slots=True)
class Platform:
    """A Python on an architecture.

    Args:
        minor: of Python 3.
        architecture: `arm64` or `x86_64`.
    """

    minor: int
    architecture: str

    @classmethod
    def of(cls, runtime: str, architecture: str) -> Platform:
        """The platform of a function.

        Args:
            runtime: as Lambda calls it, such as `python3.13`.
            architecture: `arm64` or `x86_64`.

        Raises:
            ProviderError: there is no such platform.
        """
        match = _RUNTIME.fullmatch(runtime)
        if match is None or architecture not in MACHINES:
            raise ProviderError(
                f"functions cannot run {runtime} on {architecture}",
                "use python3.11 to python3.13, and arm64 or x86_64",
                "usage",
            )
        return cls(int(match[1]), architecture)

    def __str__(self) -> str:
        return f"Python {self.python} on Linux {self.architecture}"

    @property
    def python(self) -> str:
        """Version of Python, such as `3.13`."""
        return f"3.{self.minor}"

    @property
    def machine(self) -> str:
        """The architecture as Linux calls it."""
        return MACHINES[self.architecture]

    @property
    def glibc(self) -> int:
        """Minor of the system's glibc 2."""
        return GLIBC if self.minor >= FIRST_ON_AL2023 else OLD_GLIBC

    @property
    def uv_platform(self) -> str:
        """The newest platform uv knows whose wheels all run here."""
        minor = next(each for each in UV_MINORS if each <= self.glibc)
        return f"{self.machine}-manylinux_2_{minor}"

    @property
    def tags(self) -> tuple[str, ...]:
        """Platform tags of wheels that run here, the newest first: pip takes each literally."""
        found: list[str] = []
        for minor in range(self.glibc, OLDEST[self.architecture] - 1, -1):
            found.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in LEGACY:
                found.append(f"{LEGACY[minor]}_{self.machine}")
        return (*found, f"linux_{self.machine}")

    @property
    def abis(self) -> tuple[str, ...]:
        """Binary interfaces that this Python offers."""
        return (f"cp3{self.minor}", "abi3", "none")
