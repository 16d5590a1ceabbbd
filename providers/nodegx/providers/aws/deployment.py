"""A project in one of its stacks: what all commands that reach into the cloud begin with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nodegx.compiler.project import Project
from nodegx.compiler.targets.aws.emit import DIRECTORY
from nodegx.compiler.targets.aws.names import Names, Place
from nodegx.providers.errors import ProviderError

from .cloud import Cloud, translated
from .stackfiles import LOCAL, StackFile, choose_stack, read_stack

THREADS = 8


@dataclass
class Deployment:
    """A stack of a project.

    Args:
        project: the project.
        stack: name of the stack.
        file: its file.
    """

    project: Project
    stack: str
    file: StackFile

    @classmethod
    def of(cls, project: Project, stack: str | None) -> Deployment:
        """The deployment in a stack: the one named, the selected one, or the only one.

        Raises:
            ProviderError: there is none.
        """
        name = choose_stack(project.root, stack)
        if name == LOCAL:
            from . import local

            local.enter(project.root)
        return cls(project, name, read_stack(project.root, project.name, name))

    @property
    def is_local(self) -> bool:
        """Whether it is in the emulated cloud on this machine."""
        return self.stack == LOCAL

    @property
    def home(self) -> Path:
        """The program's directory."""
        return self.project.build / DIRECTORY

    @property
    def names(self) -> Names:
        """Names of what it owns."""
        return Names(self.project.name, self.stack)

    @cached_property
    def cloud(self) -> Cloud:
        """Where it is."""
        return Cloud(self.file.region)

    @property
    def place(self) -> Place:
        """Names and ARNs of what it owns."""
        partition = self.cloud.caller.split(":")[1]
        return Place(self.names, self.cloud.account, self.cloud.region, partition)

    @property
    def tags(self) -> dict[str, str]:
        """Tags that tell what belongs to it."""
        return {"nodegx:project": self.names.label, "nodegx:stack": self.stack}

    def functions(self, slugs: Iterable[str]) -> dict[str, LiveFunction]:
        """The functions of some workflows that are in the cloud, by slug.

        Raises:
            ProviderError: AWS cannot be asked.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            found = pool.map(self._owned, sorted(set(slugs)))
            return {each.slug: each for each in found if each is not None}

    def _owned(self, slug: str) -> LiveFunction | None:
        name = self.names.function(slug)
        found = self.find(name)
        if found is None or not self.owns(found.get("Tags") or {}):
            return None
        return LiveFunction(slug, name, found["Configuration"])

    def find(self, function: str) -> dict[str, Any] | None:
        """What Lambda says of a function, whoever it belongs to; None if there is none."""
        client = self.cloud.client("lambda")
        with translated("ResourceNotFoundException"):
            try:
                return client.get_function(FunctionName=function)
            except client.exceptions.ResourceNotFoundException:
                return None

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether something with these tags belongs to this deployment."""
        return all(tags.get(name) == value for name, value in self.tags.items())

    def function(self, slug: str) -> LiveFunction:
        """One function in the cloud.

        Raises:
            ProviderError: it is not deployed.
        """
        found = self._owned(slug)
        if found is None:
            raise self.missing(slug)
        return found

    def nothing(self) -> ProviderError:
        """The error for a stack that was never deployed."""
        return ProviderError(
            f"nothing is deployed in {self.stack}",
            f"`nodegx deploy --stack {self.stack}` deploys",
            "not found",
        )

    def missing(self, slug: str) -> ProviderError:
        """The error for a workflow that is not deployed."""
        return ProviderError(
            f"{slug} is not deployed in {self.stack} ({self.cloud.region})",
            f"`nodegx deploy --stack {self.stack}` deploys it",
            "not found",
        )


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """A function in the cloud, with what Lambda says of its latest code."""

    slug: str
    name: str
    configuration: Mapping[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        """Its environment variables."""
        return dict(self.configuration.get("Environment", {}).get("Variables", {}))
