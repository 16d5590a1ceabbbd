"""What AWS refuses or does differently, found before anything is deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from nodegx.compiler.diagnostics import Diagnostic, Pointer, Severity
from nodegx.compiler.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding about a workflow. The manifest knows no places in the workflow's file; instead
    there is the node with its parameter, or the setting that it is about."""

    manifest: Manifest
    code: str
    message: str
    hint: str
    severity: Severity = Severity.ERROR
    node: str | None = None
    param: str | None = None
    setting: str | None = None

    def pointer(self, data: Any) -> Pointer:
        """The place in the workflow's file, `data` being its content; the closest that exists."""
        cursor = _Cursor(data)
        if cursor.enter("components"):
            cursor.select("name", self.manifest.name)
        if self.node is not None and cursor.enter("nodes"):
            cursor.select("id", self.node)
        if self.param is not None and cursor.enter("parameters"):
            cursor.enter(self.param)
        if self.setting is not None and cursor.enter("settings"):
            cursor.enter(self.setting)
        return tuple(cursor.path)

    def diagnostic(self, pointer: Pointer) -> Diagnostic:
        """The finding, at a place in the workflow's file."""
        return Diagnostic(
            self.code, self.message, pointer, self.hint, self.node, severity=self.severity
        )


class Findings(list[Finding]):
    """Collects findings."""

    def error(
        self, manifest: Manifest, code: str, message: str, hint: str, **place: str | None
    ) -> None:
        """The workflow cannot be deployed so; `place` are `node`, `param` or `setting`."""
        self.append(Finding(manifest, code, message, hint, Severity.ERROR, **place))

    def warn(
        self, manifest: Manifest, code: str, message: str, hint: str, **place: str | None
    ) -> None:
        """The workflow behaves differently on AWS."""
        self.append(Finding(manifest, code, message, hint, Severity.WARNING, **place))


class _Cursor:
    """A place in JSON data."""

    def __init__(self, data: Any) -> None:
        self.path: list[str | int] = []
        self._here: Any = data

    def enter(self, key: str) -> bool:
        """Goes to the value of a key, if there is one."""
        here = cast("dict[str, Any]", self._here) if isinstance(self._here, dict) else {}
        if key not in here:
            return False
        self._here = here[key]
        self.path.append(key)
        return True

    def select(self, key: str, value: str) -> None:
        """Goes to the item of a list whose `key` is `value`, if there is one."""
        items = cast("list[Any]", self._here) if isinstance(self._here, list) else []
        for index, item in enumerate(items):
            if isinstance(item, dict) and cast("dict[str, Any]", item).get(key) == value:
                self._here = cast("Any", item)
                self.path.append(index)
                return
