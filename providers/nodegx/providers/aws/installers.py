"""Package installers, which find wheels for machines other than this one."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from nodegx.providers.errors import ProviderError

from .platforms import Platform

TIMEOUT = 900
"""Seconds an installer may take."""

_NO_WHEEL = re.compile(
    r"Wheels are required for `([^`]+)`|(?:^|[\s,])([\w.-]+?)(?:[=<>!~][^\s]*)? has no usable wheels"
    r"|No matching distribution found for ([\w.-]+)"
)
_UNKNOWN = re.compile(r"Because ([\w.-]+) was not found in the package registry")
_NO_VERSION = re.compile(r"there (?:is|are) (?:no version|only .* versions?) of (\S+?)(?: |,|$)")


class Installer(Protocol):
    """Chooses and unpacks wheels. Requirements are given in files: none of them is ever an option
    of a command."""

    def lock(self, requirements: Path, lock: Path, platform: Platform) -> str:
        """Exact versions, with hashes, of all that the requirements need; those that the file
        `lock` names already are kept where they fit.

        Raises:
            ProviderError: something cannot be had for the platform.
        """
        ...

    def install(self, requirements: Path, lock: Path, platform: Platform, target: Path) -> None:
        """Unpacks what the requirements need, in the versions of `lock`, into `target`.

        Raises:
            ProviderError: something cannot be had for the platform.
        """
        ...


def find_installer() -> Installer:
    """uv where it is installed, else pip.

    Raises:
        ProviderError: there is neither.
    """
    if importlib.util.find_spec("uv") is not None:
        from uv import find_uv_bin

        return Uv(find_uv_bin())
    if (uv := shutil.which("uv")) is not None:
        return Uv(uv)
    if importlib.util.find_spec("pip") is not None:
        return Pip()
    raise ProviderError(
        "workflows need packages, and there is nothing to install them with",
        "install uv: pip install 'nodegx[aws]'",
    )


class Uv:
    """uv, which knows platforms by name."""

    def __init__(self, program: str) -> None:
        self._program = program

    def lock(self, requirements: Path, lock: Path, platform: Platform) -> str:
        """See `Installer`."""
        with tempfile.TemporaryDirectory() as directory:
            found = Path(directory, "lock.txt")
            if lock.is_file():
                shutil.copyfile(lock, found)
            arguments = ("--generate-hashes", "--no-annotate", "--no-header", "-o", str(found))
            self._run("compile", requirements, platform, *arguments)
            return found.read_text("utf-8")

    def install(self, requirements: Path, lock: Path, platform: Platform, target: Path) -> None:
        """See `Installer`."""
        arguments = ("-c", str(lock), "--target", str(target), "--link-mode", "copy")
        self._run("install", requirements, platform, *arguments)

    def _run(self, verb: str, requirements: Path, platform: Platform, *arguments: str) -> None:
        command = [self._program, "pip", verb, "--quiet", "--only-binary", ":all:"]
        command += ["--python", sys.executable, "--python-platform", platform.uv_platform]
        command += ["--python-version", platform.python, *arguments]
        listed = ["-r", str(requirements)] if verb == "install" else [str(requirements)]
        _run([*command, *listed], platform)


class Pip:
    """pip, which takes every tag literally."""

    def lock(self, requirements: Path, lock: Path, platform: Platform) -> str:
        """See `Installer`."""
        with tempfile.TemporaryDirectory() as directory:
            report = Path(directory, "report.json")
            arguments = ["--dry-run", "--ignore-installed", "--report", str(report)]
            self._run(requirements, lock, platform, Path(directory), arguments)
            found: dict[str, Any] = json.loads(report.read_bytes())
        pins: list[str] = []
        for each in found["install"]:
            name = re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower()
            digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
            pins.append(f"{name}=={each['metadata']['version']} \\\n    --hash=sha256:{digest}\n")
        return "".join(sorted(pins))

    def install(self, requirements: Path, lock: Path, platform: Platform, target: Path) -> None:
        """See `Installer`."""
        self._run(requirements, lock, platform, target, ["--no-compile"])

    def _run(
        self,
        requirements: Path,
        lock: Path,
        platform: Platform,
        target: Path,
        arguments: Sequence[str],
    ) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--implementation", "cp", *arguments]
        command += ["--target", str(target), "--python-version", platform.python]
        for tag in platform.tags:
            command += ["--platform", tag]
        for abi in platform.abis:
            command += ["--abi", abi]
        with tempfile.TemporaryDirectory() as directory:
            # With hashes, pip would want every requirement pinned by its user.
            constraints = Path(directory, "constraints.txt")
            text = lock.read_text("utf-8") if lock.is_file() else ""
            pins = re.findall(r"^[A-Za-z0-9][^\s\\;]*==[^\s\\;]+", text, re.MULTILINE)
            constraints.write_text("".join(f"{pin}\n" for pin in pins), "utf-8")
            _run([*command, "-c", str(constraints), "-r", str(requirements)], platform)


def _run(command: Sequence[str], platform: Platform) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - requirements are in files, no part of a command
            command, capture_output=True, text=True, timeout=TIMEOUT, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        message = f"packages did not arrive within {TIMEOUT // 60} minutes"
        raise ProviderError(message, "is the package index reachable?") from None
    if done.returncode:
        raise _refusal(done.stderr, platform)


def _refusal(output: str, platform: Platform) -> ProviderError:
    """Why an installer refused."""
    joined = " ".join(output.split())
    if unknown := sorted(set(_UNKNOWN.findall(joined))):
        names = ", ".join(unknown)
        return ProviderError(
            f"the package index has no {names}", "is the name right, and the index reachable?"
        )
    without = {name for groups in _NO_WHEEL.findall(joined) for name in groups if name}
    if without:
        names = ", ".join(sorted(without))
        return ProviderError(
            f"there is no wheel of {names} for {platform}",
            "ask for a version that has one, or use another package; "
            "what has to be built from source cannot go into a bundle",
        )
    if missing := sorted(set(_NO_VERSION.findall(joined))):
        return ProviderError(
            f"there is no version such as {', '.join(missing)} for {platform}",
            "correct the version in `packages` of the workflow's node",
        )
    last = [line.strip() for line in output.splitlines() if line.strip()][-3:]
    return ProviderError(f"the packages cannot be installed: {' '.join(last) or 'no reason given'}")
