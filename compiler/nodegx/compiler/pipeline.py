"""The stages put together: from a source to handlers, manifests and source maps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from . import sourcemap
from .check import check
from .checked import Checked, CheckedWorkflow
from .checks.across import interface_of
from .derive import derive
from .diagnostics import Diagnostic, DiagnosticError
from .durability import durable_names
from .emit import emit
from .lower import lower
from .manifest import Manifest
from .source import Source
from .structure import analyse, structure


@dataclass(frozen=True, slots=True)
class Compiled:
    """One compiled workflow.

    `handler` is the text of `handler.py`, `source_map` the spans of `handler.map.json`,
    `warnings` what is worth showing but stopped nothing.
    """

    name: str
    slug: str
    handler: str
    manifest: Manifest
    source_map: tuple[sourcemap.Span, ...]
    warnings: tuple[Diagnostic, ...] = ()

    def files(self) -> Mapping[str, bytes]:
        """The workflow's own files, by name."""
        return {
            "handler.py": self.handler.encode(),
            "handler.map.json": sourcemap.to_text(self.source_map).encode(),
            "manifest.json": self.manifest.to_text().encode(),
        }


def compile_source(source: Source) -> list[Compiled]:
    """Compiles every workflow of a file.

    Raises:
        DiagnosticError: with everything that is wrong in the file, places filled in.
    """
    return compile_checked(check(source))


def compile_checked(checked: Checked, durable: Collection[str] = ()) -> list[Compiled]:
    """Compiles every workflow of a checked file. Raises as `compile_source` does.

    Args:
        checked: the file.
        durable: names of the workflows in other files that are durable.
    """
    interfaces = [interface_of(workflow, checked.source.path) for workflow in checked.workflows]
    names = durable_names(interfaces, durable)
    compiled: list[Compiled] = []
    wrong: list[Diagnostic] = []
    for workflow in checked.workflows:
        try:
            compiled.append(_compile(workflow, checked, names))
        except DiagnosticError as exc:
            wrong += exc.diagnostics
    if wrong:
        raise DiagnosticError(checked.source.resolve([*checked.warnings, *wrong]))
    return compiled


def _compile(workflow: CheckedWorkflow, checked: Checked, durable: Collection[str]) -> Compiled:
    graph = lower(workflow, checked.source, durable)
    layout = analyse(graph)
    module = emit(graph, structure(graph, layout), layout)
    return Compiled(
        name=graph.name,
        slug=graph.slug,
        handler=module.text,
        manifest=derive(graph, workflow, module.spans, module.function),
        source_map=module.spans,
        warnings=tuple(
            found
            for found in checked.warnings
            if found.pointer[: len(workflow.pointer)] == workflow.pointer
        ),
    )
