"""Project templates: what `nodegx init` writes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).with_name("templates")
RENAMED = {"dot-gitignore": ".gitignore", "dot-gitkeep": ".gitkeep"}
"""Files that must not bear their real names while they lie in this package."""


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of project. `run` are the arguments of a `nodegx run` that shows it working;
    `variables` maps the project's variables to a value and an explanation."""

    name: str
    doc: str
    run: str = ""
    variables: dict[str, tuple[Any, str]] = field(default_factory=dict[str, tuple[Any, str]])


TEMPLATES = {
    template.name: template
    for template in (
        Template(
            "webhook",
            "an HTTP endpoint that checks its input and answers",
            "Hello --input samples/hello.json",
            {"greeting": ("Hello", "how visitors are greeted")},
        ),
        Template(
            "schedule",
            "a report every working day, with a loop",
            "MorningReport",
            {
                "shops": (
                    [
                        {"name": "North", "sales": [120, 80.5]},
                        {"name": "South", "sales": [99]},
                    ],
                    "the shops with the day's sales",
                )
            },
        ),
        Template(
            "event",
            "a workflow that listens to events and sends one",
            "Welcome --input samples/signup.json",
            {"welcome": ("Good to have you here.", "text of the welcome message")},
        ),
        Template("empty", "no workflow at all"),
    )
}


def render(template: Template, name: str) -> dict[str, str]:
    """The files of a new project by path, relative to its directory, `/` between the parts.

    Args:
        template: the kind of project.
        name: the project's name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Workflows are full of {{ }}: the templates' own marks are square.
    environment = Environment(
        loader=FileSystemLoader(ROOT),
        undefined=StrictUndefined,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # the output is JSON and Markdown, never HTML
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    values = {
        "name": name,
        "run": template.run,
        "vars": {key: value for key, (value, _) in template.variables.items()},
        "variables": [(key, meaning) for key, (_, meaning) in template.variables.items()],
    }
    files: dict[str, str] = {}
    for part in ("shared", template.name):
        for path in sorted(p for p in (ROOT / part).rglob("*") if p.is_file()):
            inside = path.relative_to(ROOT / part)
            target = inside.with_name(RENAMED.get(inside.name, inside.name)).as_posix()
            if target.startswith("workflows/"):
                files[target] = path.read_text(encoding="utf-8")  # square marks are theirs too
            else:
                source = path.relative_to(ROOT).as_posix()
                files[target] = environment.get_template(source).render(values)
    return files


def conflicts(directory: Path, files: dict[str, str]) -> list[str]:
    """Those of `files` that already exist in `directory`."""
    return [name for name in sorted(files) if os.path.lexists(directory / name)]


def write(directory: Path, files: dict[str, str]) -> None:
    """Writes the files, creating directories; never over a file that is there.

    Raises:
        FileExistsError: one of them exists.
    """
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
