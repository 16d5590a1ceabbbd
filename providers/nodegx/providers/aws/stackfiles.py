"""The files of stacks: settings that differ between deployments of one project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from nodegx.compiler.targets.aws.deployer import Features
from nodegx.compiler.targets.aws.emit import STACKS
from nodegx.compiler.targets.aws.names import plain
from nodegx.providers.errors import ProviderError

REGION = "aws:region"
SELECTED = Path(".nodegx") / "stack"
"""The file that names the selected stack, in the project's directory."""

LOCAL = "local"
"""The stack in the emulated cloud on this machine, which comes and goes as that does."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class StackFile:
    """A stack's file, as far as it can be read without the stack's passphrase.

    Args:
        path: where it is, or would be.
        project: the project's name.
        config: its values by key; encrypted ones are objects with a key `secure`.
        provider: URL of what encrypts its secrets; "" for a passphrase.
        exists: whether there is a file.
    """

    path: Path
    project: str
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    provider: str = ""
    exists: bool = True

    @property
    def region(self) -> str | None:
        """The region that the stack is in, if its file says so."""
        found = self.config.get(REGION)
        return found if isinstance(found, str) and found else None

    @property
    def needs_passphrase(self) -> bool:
        """Whether its secrets are encrypted with a passphrase."""
        return not self.provider or self.provider == "passphrase"

    def value(self, name: str) -> Any:
        """A value of the project's own; None where there is none."""
        return self.config.get(f"{plain(self.project).lower()}:{name}")

    @property
    def production(self) -> bool:
        """Whether what holds data is protected."""
        return str(self.value("production")).lower() == "true"

    def overrides(self, slug: str) -> Mapping[str, Any]:
        """What the stack sets differently for a workflow."""
        found = self.value("functions")
        given: Any = cast("Mapping[str, Any]", found).get(slug) if isinstance(found, dict) else None
        return cast("Mapping[str, Any]", given) if isinstance(given, dict) else {}


def stack_path(root: Path, stack: str) -> Path:
    """The file of a stack."""
    return root / STACKS / f"Pulumi.{stack}.yaml"


def stack_names(root: Path) -> list[str]:
    """The stacks that have a file, sorted, but for `local`."""
    names = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for path in (root / STACKS).glob("Pulumi.*.yaml")
    }
    return sorted(names - {LOCAL})


def read_stack(root: Path, project: str, stack: str) -> StackFile:
    """Reads the file of a stack; one that does not exist counts as empty.

    Raises:
        ProviderError: it is damaged.
    """
    import yaml

    path = stack_path(root, stack)
    try:
        found: Any = yaml.safe_load(path.read_bytes()) or {}
    except FileNotFoundError:
        return StackFile(path, project, exists=False)
    except yaml.YAMLError as error:
        message = f"{path} is no YAML: {' '.join(str(error).split())}"
        raise ProviderError(message, "correct it by hand") from None
    if not isinstance(found, dict):
        raise ProviderError(f"{path} has no settings: a key `config` is expected")
    data = cast("dict[str, Any]", found)
    config: Any = data.get("config") or {}
    provider = str(data.get("secretsprovider") or "")
    return StackFile(path, project, cast("dict[str, Any]", config), provider)


def features(file: StackFile, slugs: Iterable[str]) -> Features:
    """What a stack uses beyond the plan of its project, whose workflows are `slugs`."""
    return Features(
        domain=bool(file.value("domain")),
        budget=file.value("budget") is not None,
        warm=any(file.overrides(slug).get("provisioned") for slug in slugs),
    )


def check_name(stack: str) -> str:
    """A name that a stack can have.

    Raises:
        ProviderError: it cannot.
    """
    if _NAME.fullmatch(stack) is None:
        hint = "use letters, digits, -, _ and . only, such as `prod`"
        raise ProviderError(f"{stack!r} is no name for a stack", hint, "usage")
    return stack


def selected_stack(root: Path) -> str | None:
    """The stack that commands use unless they are told another."""
    try:
        name = (root / SELECTED).read_text("utf-8").strip()
    except OSError:
        return None
    return name if _NAME.fullmatch(name) else None


def select_stack(root: Path, stack: str) -> None:
    """Makes commands use a stack unless they are told another."""
    path = root / SELECTED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{stack}\n", "utf-8")


def choose_stack(root: Path, wanted: str | None) -> str:
    """The stack to use: the one asked for, the selected one, or the only one.

    Raises:
        ProviderError: there is none, or several to choose from.
    """
    names = stack_names(root)
    if wanted is not None:
        return check_name(wanted)
    selected = selected_stack(root)
    if selected is not None:
        return selected
    if len(names) == 1:
        return names[0]
    if names:
        raise ProviderError(
            "no stack is selected",
            f"`nodegx stacks select {names[0]}`, or --stack; there are {', '.join(names)}",
            "usage",
        )
    raise ProviderError(
        "this project has no stacks", "`nodegx stacks init dev` makes one", "not found"
    )
