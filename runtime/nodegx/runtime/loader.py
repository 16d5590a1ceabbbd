"""Imports compiled handlers."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

from .sourcemap import SourceMap
from .workflow import Workflow

_numbers = itertools.count(1)


def load(path: str | Path) -> Workflow:
    """Imports a compiled handler as a module of its own, beside any earlier version of it.

    Args:
        path: the handler's file, or the folder that has it as `handler.py`.

    Raises:
        OSError: the file cannot be read.
        ImportError: it cannot be run, or has no workflow.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "handler.py"
    file = file.resolve()
    text = file.read_text("utf-8")
    module = ModuleType(f"nodegx_build_{next(_numbers)}.{file.parent.name}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # dataclasses and pickle in code nodes look there
    try:
        exec(compile(text, str(file), "exec"), module.__dict__)  # noqa: S102 - the compiler's output
    except Exception as error:
        del sys.modules[module.__name__]
        raise ImportError(f"{file} cannot be imported: {error}", path=str(file)) from error
    found = [value for value in vars(module).values() if isinstance(value, Workflow)]
    if len(found) != 1:
        del sys.modules[module.__name__]
        raise ImportError(f"{file} defines {len(found)} workflows instead of one", path=str(file))
    workflow = found[0]
    workflow.source = SourceMap(str(file), workflow.source.function, text)
    workflow.revision = _revision(file) or workflow.revision
    return workflow


def unload(workflow: Workflow) -> None:
    """Forgets the module of a workflow that has been replaced. Executions under way go on."""
    sys.modules.pop(getattr(workflow.handler, "__module__", ""), None)


def _revision(file: Path) -> str:
    try:
        return str(json.loads(file.with_name("manifest.json").read_text("utf-8"))["revision"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
