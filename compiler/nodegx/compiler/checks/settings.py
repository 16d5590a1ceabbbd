"""Settings of a workflow beyond their format."""

from __future__ import annotations

from nodegx.compiler.diagnostics import quoted
from nodegx.runtime.catalog import checks

from .draft import Draft
from .findings import Findings
from .values import checked_by


def check_settings(draft: Draft, findings: Findings) -> None:
    """Time zone, redaction paths, and the workflow that is called on errors."""
    settings = draft.settings
    pointer = (*draft.pointer, "settings")
    if settings.timezone != "UTC" and checked_by(checks.timezone, settings.timezone) is not None:
        findings.error(
            "NX605",
            f"{quoted(settings.timezone)} is not a time zone",
            (*pointer, "timezone"),
            hint="use a name of the IANA database, such as Europe/Berlin or UTC",
        )
    for index, path in enumerate(settings.history.redact):
        if (fault := checked_by(checks.jsonpath, path)) is not None:
            findings.error(
                "NX204",
                f"{quoted(path)} {fault}",
                (*pointer, "history", "redact", index),
                hint='a path starts at the root: "$.order.card", or "$..card" at any depth',
            )
    if settings.on_error is not None and settings.on_error == draft.name:
        message = "a workflow cannot handle its own errors"
        findings.error("NX204", message, (*pointer, "onError"), hint="name another workflow")
