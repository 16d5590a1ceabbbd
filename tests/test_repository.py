"""What every commit keeps to: portable files, a README that tells the truth, modules of a size that
fits in a head."""

from __future__ import annotations

import json
import re
import subprocess
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_LINES = 450

MACHINE_PATHS = re.compile(
    r"(?<![\w.-])/(?:root|home/(?!me/)\w+|Users/(?!me/)\w+|work/(?:main|shared)|tmp/(?:boot|contract))(?=[/\s\"'`]|$)"
)
REGISTRY_HOSTS = re.compile(
    "|".join(
        (
            r"pypi\.(?:org|python\.org)",
            r"files\.python" + r"hosted\.org",
            r"registry\." + r"npmjs",
            r"crates" + r"\.io/",
            r"proxy\.golang" + r"\.org",
            r"repo1?\.maven" + r"\.(?:org|apache)",
            r"deb\.debian" + r"\.org",
            r"--(?:extra-)?index-url",
        )
    )
)
WORKSHOP = re.compile(
    r"\b(?:DESIGN\.md|FACTS\.md|CONTRACT\.md|chat" + r"gpt|clau" + r"de code|copilot|as an ai)\b",
    re.IGNORECASE,
)


def tracked() -> list[Path]:
    """Files that a commit holds or would hold."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = (ROOT / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in files if path.is_file())


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """All tracked text files but this one, by name."""
    found: dict[str, str] = {}
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
    return found


def hits(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    "pattern", [MACHINE_PATHS, REGISTRY_HOSTS, WORKSHOP], ids=["paths", "registries", "workshop"]
)
def test_files_know_nothing_of_where_they_were_written(
    texts: dict[str, str], pattern: re.Pattern[str]
) -> None:
    assert not hits(texts, pattern)


def test_no_lock_file_of_uv(texts: dict[str, str]) -> None:
    assert not [name for name in texts if Path(name).name == "uv.lock"]


def test_requirements_are_pinned_by_hash(texts: dict[str, str]) -> None:
    text = texts[".ci/requirements.txt"]
    packages = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
    assert packages
    assert text.count("--hash=sha256:") >= len(packages)


def test_commands_of_the_readme_exist(texts: dict[str, str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", texts["Makefile"], re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", texts["README.md"]))
    assert named
    assert named <= targets


def test_every_example_is_listed_and_complete(texts: dict[str, str]) -> None:
    examples = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
    assert examples
    for example in examples:
        assert f"examples/{example.name}" in texts["README.md"], example.name
        assert json.loads((example / "nodegx.json").read_text("utf-8"))["name"]
        assert list((example / "workflows").glob("*.json")), example.name


def test_links_of_documents_lead_somewhere(texts: dict[str, str]) -> None:
    broken = [
        f"{name}: {link}"
        for name, text in texts.items()
        if name.endswith(".md")
        for link in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)
        if not (ROOT / name).parent.joinpath(link).exists()
    ]
    assert not broken


def test_modules_are_of_a_readable_size(texts: dict[str, str]) -> None:
    long = {
        name: lines
        for name, text in texts.items()
        if name.endswith(".py") and (lines := text.count("\n")) > MAX_LINES
    }
    if long:
        listing = ", ".join(f"{name} ({lines})" for name, lines in sorted(long.items()))
        warnings.warn(f"modules over {MAX_LINES} lines: {listing}", stacklevel=1)
    product = {name: lines for name, lines in long.items() if not name.startswith("tests/")}
    assert all(lines <= 2 * MAX_LINES for lines in product.values()), product
