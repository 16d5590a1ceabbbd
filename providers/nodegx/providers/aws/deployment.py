"""A project in one of its stacks: what all commands that reach into the cloud begin with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nodegx.compiler.project import Project
from nodegx.compiler.targets.aws.emit import DIRECTORY
from nodegx.compiler.targets.aws.names import ALIAS, Names, Place
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

    def functions(self) -> dict[str, LiveFunction]:
        """Its functions in the cloud, by slug.

        Raises:
            ProviderError: AWS cannot be asked.
        """
        found: dict[str, LiveFunction] = {}
        prefix = f"{self.names.prefix}-"
        with translated():
            client = self.cloud.client("lambda")
            for page in client.get_paginator("list_functions").paginate():
                for each in page["Functions"]:
                    if not each["FunctionName"].startswith(prefix):
                        continue
                    tags = client.list_tags(Resource=each["FunctionArn"])["Tags"]
                    if self.owns(tags) and "nodegx:workflow" in tags:
                        slug = tags["nodegx:workflow"]
                        found[slug] = LiveFunction(slug, each["FunctionName"], each)
        return dict(sorted(found.items()))

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether something with these tags belongs to this deployment."""
        return all(tags.get(name) == value for name, value in self.tags.items())

    def function(self, slug: str) -> LiveFunction:
        """One function in the cloud.

        Raises:
            ProviderError: it is not deployed.
        """
        name = self.names.function(slug)
        client = self.cloud.client("lambda")
        with translated("ResourceNotFoundException"):
            try:
                found = client.get_function_configuration(FunctionName=name)
            except client.exceptions.ResourceNotFoundException:
                raise self.missing(slug) from None
        return LiveFunction(slug, name, found)

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
    def alias(self) -> str:
        """What triggers and callers name."""
        return f"{self.name}:{ALIAS}"

    @property
    def workflow(self) -> str:
        """Name of its workflow, as far as the function tells."""
        return self.slug

    @property
    def variables(self) -> dict[str, str]:
        """Its environment variables."""
        return dict(self.configuration.get("Environment", {}).get("Variables", {}))

    @property
    def functions(self) -> dict[str, str]:
        """ARNs of the functions it may call, by workflow."""
        return json.loads(self.variables.get("NODEGX_FUNCTIONS", "{}"))
