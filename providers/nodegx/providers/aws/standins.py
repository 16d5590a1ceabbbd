"""Stand-ins for libraries of which a bundle needs nothing that Python itself lacks."""

from __future__ import annotations

import ast
from collections.abc import Iterable
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
