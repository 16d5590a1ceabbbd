"""Stand-ins for parts of libraries that cost time in every cold start and do nothing for a bundle."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

TYPING_EXTENSIONS = "typing_extensions"
IN_TYPING = frozenset(
    {
        *("Annotated", "Concatenate", "Final", "Generic", "Literal", "Never", "NotRequired"),
        *("ParamSpec", "Protocol", "Required", "Self", "TypeAlias", "TypeGuard", "TypeVar"),
        *("TypedDict", "Unpack", "assert_never", "final", "runtime_checkable"),
    }
)
"""Names that `typing` has had at least since Python 3.11."""


def typing_extensions(sources: Iterable[Path]) -> bytes | None:
    """A `typing_extensions.py` that is enough for some sources, or None if they need the real one.
    It takes a twentieth of the time to import.

    Args:
        sources: every Python file of a bundle that may import it.
    """
    names: set[str] = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module == TYPING_EXTENSIONS:
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.Import):
                names.update(a.name for a in node.names if a.name == TYPING_EXTENSIONS)
    if not names <= IN_TYPING:
        return None
    doc = '"""What this bundle needs of typing_extensions: Python has it, too."""'
    return f"{doc}\n\nfrom typing import {', '.join(sorted(names))}\n".encode()


_UNUSED_HANDLERS = {
    "mangum/handlers/alb.py": "ALB",
    "mangum/handlers/lambda_at_edge.py": "LambdaAtEdge",
}
"""Mangum's adapters for what starts no function of ours, and what others import of their modules."""
_HANDLER = '''"""What this adapter is for starts no function of this project."""


class {name}:
    @classmethod
    def infer(cls, event, context, config):
        return False
'''


def mangum(files: Mapping[str, Path]) -> dict[str, bytes]:
    """Modules of Mangum that a bundle needs nothing of, by their names: only events of HTTP APIs
    reach it. Empty if this Mangum is not built as expected.

    Args:
        files: the files of its distribution.
    """
    unused = {name: kind for name, kind in _UNUSED_HANDLERS.items() if name in files}
    imported: set[tuple[str, str]] = set()
    for name, path in files.items():
        if name.endswith(".py") and name not in unused:
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    module = f"{node.module.replace('.', '/')}.py"
                    imported.update((module, alias.name) for alias in node.names)
    wanted = {(module, kind) for module, kind in imported if module in unused}
    if wanted != set(unused.items()) or not all(
        map(_infers, unused.items(), [files] * len(unused))
    ):
        return {}
    return {name: _HANDLER.format(name=kind).encode() for name, kind in unused.items()}


def _infers(unused: tuple[str, str], files: Mapping[str, Path]) -> bool:
    """Whether a class decides by `infer(event, context, config)` if an event is for it."""
    name, kind = unused
    for node in ast.parse(files[name].read_bytes()).body:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            return any(each.name == "infer" and len(each.args.args) == 4 for each in methods)
    return False
