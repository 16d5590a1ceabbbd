"""The package of expression functions, which imports them one by one as they are called."""

from __future__ import annotations

import subprocess
import sys
from types import FunctionType

import pytest
from nodegx.runtime import expressions as fx


def test_every_name_is_a_function_whatever_was_imported_before() -> None:
    assert [name for name in fx.__all__ if not isinstance(getattr(fx, name), FunctionType)] == []
    assert fx.values({"a": 1}) == [1]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fx.nothing  # pyright: ignore[reportAttributeAccessIssue]


def test_only_what_is_called_is_imported() -> None:
    code = (
        "import sys\nfrom nodegx.runtime import expressions as fx\nassert fx.upper('a') == 'A'\n"
        "print(*[name for name in sys.modules if name.startswith('nodegx.runtime.expressions.')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in run.stdout.split()}
    assert "texts" in loaded
    assert loaded.isdisjoint({"dates", "arrays", "encoding", "backtracking"})
