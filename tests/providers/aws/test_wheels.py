from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from nodegx.providers.aws import installers, wheels
from nodegx.providers.aws.installers import Pip, find_installer
from nodegx.providers.aws.platforms import Platform
from nodegx.providers.aws.wheels import Wheels
from nodegx.providers.errors import ProviderError

ARM = Platform.of("python3.13", "arm64")
INTEL = Platform.of("python3.11", "x86_64")

needs_index = pytest.mark.e2e
"""Asks the package index: slower, and only where there is a network."""


class Counting:
    """An installer that writes what it is asked for, and counts."""

    def __init__(self) -> None:
        self.locked: list[str] = []
        self.installed: list[str] = []

    def lock(self, requirements: Path, lock: Path, platform: Platform) -> str:
        self.locked.append(requirements.read_text())
        return "numpy==2.0 \\\n    --hash=sha256:0123\n"

    def install(self, requirements: Path, lock: Path, platform: Platform, target: Path) -> None:
        self.installed.append(requirements.read_text())
        for name in (
            "numpy/__init__.py",
            "numpy/core.so",
            "numpy/tests/test_core.py",
            "numpy/__pycache__/x.cpython-313.pyc",
            "numpy-2.0.dist-info/METADATA",
            "numpy-2.0.dist-info/RECORD",
            "numpy-2.0.dist-info/INSTALLER",
            "bin/f2py",
        ):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(name)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def store(tmp_path: Path, counting: Counting) -> Wheels:
    return Wheels(tmp_path / "packages.lock", tmp_path / "cache", counting)


# ----------------------------------------------------------------------------------- platforms


def test_platform_tags() -> None:
    assert ARM.uv_platform == "aarch64-manylinux_2_34"
    assert ARM.tags[0] == "manylinux_2_34_aarch64"
    assert "manylinux_2_28_aarch64" in ARM.tags
    assert "manylinux2014_aarch64" in ARM.tags
    assert "manylinux_2_16_aarch64" not in ARM.tags
    assert ARM.abis == ("cp313", "abi3", "none")


def test_older_pythons_run_on_an_older_system() -> None:
    assert INTEL.glibc == 26
    assert INTEL.uv_platform == "x86_64-manylinux_2_17"
    assert INTEL.tags[0] == "manylinux_2_26_x86_64"
    assert {"manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"} <= {*INTEL.tags}


@pytest.mark.parametrize(("runtime", "machine"), [("nodejs22.x", "arm64"), ("python3.13", "mips")])
def test_other_platforms_are_refused(runtime: str, machine: str) -> None:
    with pytest.raises(ProviderError, match="cannot run"):
        Platform.of(runtime, machine)


# ---------------------------------------------------------------------------------------- lock


def test_versions_are_fixed_once(store: Wheels, counting: Counting, tmp_path: Path) -> None:
    store.fix(["numpy"], ARM)
    store.fix(["numpy"], ARM)
    assert len(counting.locked) == 1
    text = (tmp_path / "packages.lock").read_text()
    assert "Python 3.13 on Linux arm64" in text
    assert "numpy==2.0" in text
    store.fix(["numpy", "pillow"], ARM)
    store.fix(["numpy", "pillow"], INTEL)
    assert len(counting.locked) == 3


def test_no_packages_need_no_lock(store: Wheels, counting: Counting, tmp_path: Path) -> None:
    store.fix([], ARM)
    assert store.files([], ARM) == {}
    assert not (tmp_path / "packages.lock").exists()
    assert not counting.locked


def test_packages_are_unpacked_once(store: Wheels, counting: Counting) -> None:
    store.fix(["numpy"], ARM)
    found = store.files(["numpy"], ARM)
    assert sorted(found) == ["numpy-2.0.dist-info/METADATA", "numpy/__init__.py", "numpy/core.so"]
    store.files(["numpy"], ARM)
    assert len(counting.installed) == 1
    store.files(["numpy", "pillow"], ARM)
    store.files(["numpy"], INTEL)
    assert len(counting.installed) == 3


def test_what_fails_leaves_nothing_behind(
    store: Wheels, counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ProviderError("there is no wheel of numpy")

    store.fix(["numpy"], ARM)
    monkeypatch.setattr(counting, "install", refuse)
    with pytest.raises(ProviderError, match="numpy"):
        store.files(["numpy"], ARM)
    assert list((tmp_path / "cache").iterdir()) == []


# --------------------------------------------------------------------- what is installed already


def test_our_own_plain_packages_come_from_the_installation(
    store: Wheels, counting: Counting
) -> None:
    store.fix(["mangum", "jmespath"], ARM)
    found = store.files(["mangum", "jmespath"], ARM)
    assert {"mangum/adapter.py", "jmespath/__init__.py"} <= found.keys()
    assert not counting.locked
    assert not counting.installed


def test_mangum_gets_a_stand_in_for_typing_extensions(store: Wheels) -> None:
    content = store.files(["mangum"], ARM)["typing_extensions.py"]
    assert isinstance(content, bytes)
    space: dict[str, object] = {}
    exec(content, space)
    assert {"Protocol", "TypedDict"} <= space.keys()


def test_mangum_gets_stand_ins_for_what_starts_no_function(store: Wheels, tmp_path: Path) -> None:
    found = store.files(["mangum"], ARM)
    for name, kind in (("alb", "ALB"), ("lambda_at_edge", "LambdaAtEdge")):
        content = found[f"mangum/handlers/{name}.py"]
        assert isinstance(content, bytes)
        space: dict[str, Any] = {}
        exec(content, space)
        assert space[kind].infer({"requestContext": {}}, None, {}) is False
    assert isinstance(found["mangum/handlers/api_gateway.py"], Path)


def test_another_mangum_stays_as_it_is(tmp_path: Path) -> None:
    from nodegx.providers.aws import standins

    infer = "    @classmethod\n    def infer(cls, event, context, config): ...\n"
    texts = {
        "mangum/handlers/__init__.py": "from mangum.handlers.alb import ALB\n"
        "from mangum.handlers.lambda_at_edge import LambdaAtEdge\n",
        "mangum/handlers/alb.py": f"class ALB:\n{infer}",
        "mangum/handlers/lambda_at_edge.py": f"class LambdaAtEdge:\n{infer}",
    }
    files = {name: tmp_path / name.replace("/", "-") for name in texts}
    for name, path in files.items():
        path.write_text(texts[name])
    assert set(standins.mangum(files)) == {
        "mangum/handlers/alb.py",
        "mangum/handlers/lambda_at_edge.py",
    }
    files["mangum/handlers/alb.py"].write_text("class ALB:\n    def infer(self, event): ...\n")
    assert standins.mangum(files) == {}
    files["mangum/handlers/alb.py"].write_text(f"class ALB:\n{infer}\ndef other(): ...\n")
    more = "from mangum.handlers.alb import ALB, other\n"
    files["mangum/handlers/__init__.py"].write_text(more)
    assert standins.mangum(files) == {}
    del files["mangum/handlers/alb.py"]
    assert standins.mangum(files) == {}


def test_the_real_one_where_somebody_needs_it(
    store: Wheels, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(requirements: Path, lock: Path, platform: Platform, target: Path) -> None:
        (target / "typing_extensions.py").write_text("real = True")

    monkeypatch.setattr(counting, "install", install)
    store.fix(["mangum", "pydantic"], ARM)
    content = store.files(["mangum", "pydantic"], ARM)["typing_extensions.py"]
    assert isinstance(content, Path)
    assert content.read_text() == "real = True"


def test_the_real_one_where_a_stand_in_is_not_enough(tmp_path: Path) -> None:
    from nodegx.providers.aws import standins

    plain, demanding = tmp_path / "a.py", tmp_path / "b.py"
    plain.write_text("from typing_extensions import Protocol")
    demanding.write_text("from typing_extensions import TypeForm")
    assert standins.typing_extensions([plain]) is not None
    assert standins.typing_extensions([plain, demanding]) is None
    demanding.write_text("import typing_extensions")
    assert standins.typing_extensions([plain, demanding]) is None


def test_what_is_not_plain_python_is_fetched(store: Wheels, counting: Counting) -> None:
    store.fix(["jsonschema", "mangum>=0.1"], ARM)
    assert counting.locked == ["jsonschema\nmangum>=0.1\n"]


# ------------------------------------------------------------------------------------ installers


@pytest.fixture(params=["uv", "pip"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Wheels:
    """Wheels from the package index, by each installer."""
    installer = find_installer() if request.param == "uv" else Pip()
    return Wheels(tmp_path / "packages.lock", tmp_path / "cache", installer)


@needs_index
def test_a_pure_and_a_binary_package_for_another_machine(real: Wheels, tmp_path: Path) -> None:
    real.fix(["pydantic-core", "httpx<1"], ARM)
    found = real.files(["pydantic-core", "httpx<1"], ARM)
    libraries = [name for name in found if name.endswith(".so")]
    assert libraries == ["pydantic_core/_pydantic_core.cpython-313-aarch64-linux-gnu.so"]
    library = found[libraries[0]]
    assert isinstance(library, Path)
    assert library.read_bytes()[18:20] == b"\xb7\x00"  # ELF's name of the architecture
    assert {"httpx/__init__.py", "anyio/__init__.py", "typing_extensions.py"} <= found.keys()
    assert not any("RECORD" in name or "__pycache__" in name for name in found)
    assert "pydantic-core==" in (tmp_path / "packages.lock").read_text()
    assert "--hash=sha256:" in (tmp_path / "packages.lock").read_text()


@needs_index
def test_the_lock_decides_the_version(real: Wheels, tmp_path: Path) -> None:
    (tmp_path / "packages.lock").write_text("idna==3.6\n")
    real.fix(["idna"], ARM)
    assert "idna==3.6" in (tmp_path / "packages.lock").read_text()
    assert "idna-3.6.dist-info/METADATA" in real.files(["idna"], ARM)


@needs_index
@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("uwsgi", "there is no wheel of uwsgi for Python 3.13 on Linux arm64"),
        ("pydantic-core==99", "pydantic-core==99"),
        ("nodegx-has-no-such-package", "nodegx-has-no-such-package"),
    ],
)
def test_what_cannot_be_had_is_named(tmp_path: Path, requirement: str, message: str) -> None:
    store = Wheels(tmp_path / "packages.lock", tmp_path / "cache")
    with pytest.raises(ProviderError) as caught:
        store.fix(["idna", requirement], ARM)
    assert message in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / "packages.lock").exists()


def test_without_an_installer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ProviderError) as caught:
        find_installer()
    assert "pip install" in caught.value.hint


def test_an_installer_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installers, "TIMEOUT", 0.05)
    with pytest.raises(ProviderError, match="did not arrive"):
        installers._run([sys.executable, "-c", "import time; time.sleep(9)"], ARM)


def test_noise_is_known(tmp_path: Path) -> None:
    for name in (
        "a/tests/x.py",
        "a/test.py",
        "a/x.pyc",
        "bin/tool",
        "a-1.dist-info/entry_points.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(wheels._tree(tmp_path)) == ["a-1.dist-info/entry_points.txt", "a/test.py"]
    assert os.sep == "/" or all("\\" not in name for name in wheels._tree(tmp_path))
