"""Folders as the packager would zip them for AWS Lambda: handler, entry, runtime, packages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nodegx.compiler.build.closure import runtime_files, runtime_root
from nodegx.compiler.pipeline import Compiled, compile_source
from nodegx.compiler.read import parse

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WEB = ("mangum", "typing_extensions")


def compiled(source: Mapping[str, Any] | Path) -> Compiled:
    """The first workflow of a document, or of a file, compiled."""
    text = source.read_text("utf-8") if isinstance(source, Path) else json.dumps(source)
    return compile_source(parse(text))[0]


def lambda_bundle(
    folder: Path, workflow: Compiled, entry: str, packages: Sequence[str] = WEB
) -> Path:
    """Writes a function's folder.

    Args:
        folder: where to; made.
        workflow: the compiled workflow.
        entry: text of `entry.py`.
        packages: modules and packages that come with it.
    """
    folder.mkdir(parents=True)
    for name, content in {**workflow.files(), "entry.py": entry.encode()}.items():
        (folder / name).write_bytes(content)
    for name in runtime_files(workflow.handler, entry, runnable=False):
        target = folder / "nodegx" / "runtime" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(runtime_root() / name, target)
    for name in packages:
        copy_package(name, folder)
    return folder


def copy_package(name: str, folder: Path) -> None:
    """Copies an installed module or package, sources only."""
    spec = find_spec(name)
    assert spec is not None, name
    assert spec.origin is not None, name
    origin = Path(spec.origin)
    if origin.name == "__init__.py":
        ignored = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed")
        shutil.copytree(origin.parent, folder / name, ignore=ignored)
    else:
        shutil.copyfile(origin, folder / origin.name)


def entry_text(workflow: Compiled) -> str:
    """The `entry.py` of a workflow, written from its manifest."""
    manifest = workflow.manifest
    function = manifest.handler.function
    calls: list[str] = []
    names: set[str] = set()
    for trigger in manifest.triggers:
        name = {"cloud.request": "request", "trigger.webhook": "http"}.get(
            trigger.type, trigger.type.partition(".")[2]
        )
        names.add(name)
        responds = f", responds={manifest.responds}" if name in ("http", "request") else ""
        calls.append(f"{name}({function}, {trigger.node!r}, {trigger.config!r}{responds})")
    if len(calls) > 1:
        names.add("bound")
        calls = [f"bound({', '.join(calls)})"]
    return (
        f"from handler import {function}\n"
        f"from nodegx.runtime.aws.entry import {', '.join(sorted(names))}\n\n"
        f"handler = {calls[0]}\n"
    )
