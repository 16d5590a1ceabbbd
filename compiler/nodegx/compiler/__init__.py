"""Compiles workflow JSON to standalone Python handlers.

    from nodegx.compiler import compile_source, read

    for compiled in compile_source(read(path)):
        ...  # compiled.handler, compiled.manifest, compiled.files()

What is wrong with a workflow raises `DiagnosticError`, which carries all findings. The stages
(`read`, `check`, `lower`, `structure`, `emit`) are modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diagnostics import Diagnostic, DiagnosticError
    from .manifest import Manifest
    from .pipeline import Compiled, compile_checked, compile_source
    from .read import read
    from .source import Source

__all__ = [
    "Compiled",
    "Diagnostic",
    "DiagnosticError",
    "Manifest",
    "Source",
    "compile_checked",
    "compile_source",
    "read",
]

_MODULES = {
    "Compiled": "pipeline",
    "Diagnostic": "diagnostics",
    "DiagnosticError": "diagnostics",
    "Manifest": "manifest",
    "Source": "source",
    "compile_checked": "pipeline",
    "compile_source": "pipeline",
    "read": "read",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for: the command line starts without waiting for the compiler."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
