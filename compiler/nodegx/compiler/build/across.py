"""Findings between workflows, from what is known of all of them, compiled now or earlier."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegx.compiler.diagnostics import Diagnostic, DiagnosticError, has_errors

if TYPE_CHECKING:
    from nodegx.compiler.checks.across import Interface


def pack(interfaces: Iterable[Interface]) -> list[dict[str, Any]]:
    """Interfaces as JSON data, without the file: the cache knows it."""
    return [{**dataclasses.asdict(one), "file": None} for one in interfaces]


def findings(
    packed: Mapping[Path, list[dict[str, Any]]], *, whole: bool, complete: bool
) -> list[Diagnostic]:
    """What is wrong between workflows, with places.

    Args:
        packed: interfaces by file, in the order of the files.
        whole: whether these are all files of the project.
        complete: whether the interfaces of all of them are known; if not, nothing is said about
            workflows that seem to be missing.
    """
    from nodegx.compiler.checks.across import check_across

    interfaces = [_unpack(one, file) for file, ones in packed.items() for one in ones]
    found = check_across(interfaces, whole=whole and complete)
    by_file: dict[Path, list[Diagnostic]] = {}
    for diagnostic in found:
        missing = diagnostic.code == "NX603" and not has_errors([diagnostic])
        if diagnostic.file is not None and (complete or not missing):
            by_file.setdefault(diagnostic.file, []).append(diagnostic)
    return [placed for file, ones in by_file.items() for placed in _place(file, ones)]


def durable_names(packed: Iterable[Iterable[dict[str, Any]]]) -> frozenset[str]:
    """The names of the durable workflows among those with the given interfaces, file by file."""
    from nodegx.compiler import durability

    return durability.durable_names(_unpack(one, None) for ones in packed for one in ones)


def awaited(packed: Iterable[Mapping[str, Any]], durable: frozenset[str]) -> list[str]:
    """Which durable workflows of other files a file with these interfaces waits for."""
    called = {call["workflow"] for one in packed for call in one["calls"] if call["waits"]}
    return sorted((called & durable) - {one["name"] for one in packed})


def _place(file: Path, found: list[Diagnostic]) -> list[Diagnostic]:
    from nodegx.compiler.read import read

    try:
        return read(file).resolve(found)
    except DiagnosticError:
        return found  # the file has changed since; without a place they are still true


def _unpack(packed: dict[str, Any], file: Path | None) -> Interface:
    from nodegx.compiler.checks.across import Call, Interface, Route

    def pointed(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "pointer": tuple(values["pointer"])}

    values: dict[str, Any] = {
        **pointed(packed),
        "file": file,
        "routes": tuple(Route(**pointed(route)) for route in packed["routes"]),
        "calls": tuple(Call(**pointed(call)) for call in packed["calls"]),
    }
    return Interface(**values)
