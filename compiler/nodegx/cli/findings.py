"""Diagnostics for people, programs and GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nodegx.compiler.diagnostics import Diagnostic, Severity, to_json

from .output import clean, line, plural, style

SHADES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings by file and place; those without a file first."""
    return sorted(
        diagnostics, key=lambda d: (str(d.file or ""), d.line or 0, d.column or 0, d.code)
    )


def text_lines(diagnostics: Iterable[Diagnostic], base: Path) -> Iterator[str]:
    """The findings as people read them: place, severity, code and message, then the line of the
    file with a caret, then the hint.

    Args:
        diagnostics: the findings, in the order to be shown.
        base: the directory against which file names are shortened.
    """
    for found in diagnostics:
        shade = SHADES[found.severity]
        head = style(f"{found.severity.value} {found.code}", shade, bold=True)
        yield f"{style(place(found, base), bold=True)}{head}: {clean(found.message)}"
        if found.excerpt is not None:
            number = str(found.line or "")
            bar = style("|", "cyan")
            caret = " " * (found.excerpt.column - 1) + style("^", shade, bold=True)
            yield f"  {style(number, 'cyan')} {bar} {found.excerpt.text}"
            yield f"  {' ' * len(number)} {bar} {caret}"
        if found.hint:
            yield f"  {style('hint:', 'cyan')} {clean(found.hint)}"


def place(found: Diagnostic, base: Path) -> str:
    """`file:line:column: `, as editors and terminals recognize it; "" without a file."""
    if found.file is None:
        return ""
    position = "" if found.line is None else f":{found.line}:{found.column}"
    return f"{shortened(found.file, base)}{position}: "


def shortened(file: Path, base: Path) -> str:
    """A file's name relative to `base` where it lies below."""
    if file.is_absolute() and file.is_relative_to(base):
        file = file.relative_to(base)
    return clean(str(file))


def github_lines(diagnostics: Iterable[Diagnostic], base: Path) -> Iterator[str]:
    """The findings as GitHub's workflow commands, which annotate a pull request."""
    for found in diagnostics:
        fields: dict[str, Any] = {}
        if found.file is not None:
            fields["file"] = shortened(found.file, base)
        if found.line is not None:
            fields |= {"line": found.line, "col": found.column}
        fields["title"] = found.code
        properties = ",".join(f"{key}={_property(str(value))}" for key, value in fields.items())
        message = f"{found.message}\n{found.hint}" if found.hint else found.message
        yield f"::{found.severity.value} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def counts(diagnostics: Iterable[Diagnostic]) -> tuple[int, int]:
    """How many errors and warnings there are."""
    severities = [found.severity for found in diagnostics]
    return severities.count(Severity.ERROR), severities.count(Severity.WARNING)


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """One line: how many files, how many findings."""
    errors, warnings = counts(diagnostics)
    if not errors and not warnings:
        return f"{style('✓', 'green')} {plural(files, 'file')} checked, nothing to complain about"
    parts: list[str] = []
    if errors:
        parts.append(style(plural(errors, "error"), "red", bold=True))
    if warnings:
        parts.append(style(plural(warnings, "warning"), "yellow", bold=True))
    with_findings = len({found.file for found in diagnostics})
    return f"{', '.join(parts)} in {with_findings} of {plural(files, 'file')}"


def report(diagnostics: Sequence[Diagnostic], *, err: bool = False) -> None:
    """Prints findings as text."""
    for text in text_lines(ordered(diagnostics), Path.cwd()):
        line(text, err=err)


def json_data(diagnostics: Sequence[Diagnostic], files: int) -> dict[str, Any]:
    """The findings as JSON data."""
    errors, warnings = counts(diagnostics)
    return {
        "ok": not errors,
        "files": files,
        "errors": errors,
        "warnings": warnings,
        "diagnostics": to_json(ordered(diagnostics)),
    }
