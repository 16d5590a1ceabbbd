"""The runtime subset that goes beside a handler."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from nodegx.compiler.build import closure
from nodegx.compiler.build.closure import runtime_files


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime of a few small modules in place of the real one."""
    files = {
        "__init__.py": "from .core import Run",
        "__main__.py": "import json",
        "core.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .heavy import X\n"
        "else:\n    from . import light\n",
        "heavy.py": "",
        "light.py": "def late():\n    from .history import store\n",
        "history/__init__.py": "",
        "history/store.py": "from ..errors import Oops",
        "history/sqlite.py": "",
        "errors.py": "import typing\nif typing.TYPE_CHECKING:\n    import nodegx.runtime.heavy\n",
        "nodes/__init__.py": "",
        "nodes/http.py": "import nodegx.runtime.nodes._net.client",
        "nodes/_net/__init__.py": "",
        "nodes/_net/client.py": "",
        "nodes/mail.py": "",
        "lazy/__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from .far import away\ndef __getattr__(name): ...\n",
        "lazy/far.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    clear()
    monkeypatch.setattr(closure, "runtime_root", lambda: tmp_path)
    yield tmp_path
    monkeypatch.undo()
    clear()


def clear() -> None:
    for cached in (closure._closure, closure._source, closure._dependencies):
        cached.cache_clear()


BASE = {
    "__init__.py",
    "__main__.py",
    "core.py",
    "errors.py",
    "history/__init__.py",
    "history/store.py",
    "light.py",
}


def test_follows_imports_those_in_functions_too(package: Path) -> None:
    assert set(runtime_files("from nodegx.runtime import Run")) == BASE


def test_takes_only_the_nodes_in_use(package: Path) -> None:
    found = set(runtime_files("from nodegx.runtime.nodes import http"))
    nodes = {"nodes/__init__.py", "nodes/http.py", "nodes/_net/__init__.py", "nodes/_net/client.py"}
    assert found == BASE | nodes


def test_finds_what_user_code_imports(package: Path) -> None:
    code = "from nodegx.runtime import Run\ndef f():\n    import nodegx.runtime.nodes.mail\n"
    assert set(runtime_files(code)) == BASE | {"nodes/__init__.py", "nodes/mail.py"}


def test_takes_what_a_lazy_package_offers(package: Path) -> None:
    found = runtime_files("from nodegx.runtime import lazy as fx")
    assert set(found) == BASE | {"lazy/__init__.py", "lazy/far.py"}


def test_joins_what_several_modules_need(package: Path) -> None:
    found = runtime_files("import nodegx.runtime.nodes.mail", "import nodegx.runtime.history")
    assert set(found) == BASE | {"nodes/__init__.py", "nodes/mail.py", "history/__init__.py"}


def test_leaves_out_what_runs_a_handler_by_hand_where_nobody_does(package: Path) -> None:
    found = runtime_files("from nodegx.runtime import Run", runnable=False)
    assert set(found) == BASE - {"__main__.py"}


def test_ignores_what_is_not_ours(package: Path) -> None:
    source = "import json, nodegx.runtimes\nfrom nodegx import compiler\nimport nodegx.nothing"
    assert set(runtime_files(source)) == BASE


def test_is_sorted_and_posix(package: Path) -> None:
    found = runtime_files("import nodegx.runtime.nodes.mail")
    assert list(found) == sorted(found)
    assert "nodes/mail.py" in found


def test_the_real_runtime_is_closed_under_its_imports() -> None:
    found = runtime_files("from nodegx.runtime import Node, Run, workflow")
    root = closure.runtime_root()
    assert "node.py" in found
    assert not [name for name in found if name.startswith(("catalog/", "nodes/"))]
    for name in found:
        ast.parse((root / name).read_bytes())
