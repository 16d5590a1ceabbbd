"""What all components of a deployment share: where it is, its settings, its tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
from nodegx.compiler.targets.aws.names import Names, Place
from pulumi_aws import get_caller_identity, get_partition, get_region

from .settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """A deployment.

    Args:
        place: where it is, with all its names.
        settings: what its stack says.
        home: the directory of the program, with the bundles.
        config: the stack's configuration, for secrets.
    """

    place: Place
    settings: Settings
    home: Path
    config: pulumi.Config

    @classmethod
    def current(cls, project: str, home: Path) -> Context:
        """The deployment that this program is run for."""
        config = pulumi.Config()
        place = Place(
            Names(project, pulumi.get_stack()),
            account=get_caller_identity().account_id,
            region=get_region().region,
            partition=get_partition().partition,
        )
        settings = Settings.read(config)
        if (functions := home / "functions").is_dir():
            # Told before anything is made, if it can be; for certain it is known at the end.
            settings.check([path.name for path in functions.iterdir()])
        return cls(place, settings, home, config)

    def tags(self, workflow: str | None = None) -> dict[str, str]:
        """Tags of something that belongs to the whole project, or to a workflow by its slug."""
        names = self.place.names
        tags = {"nodegx:project": names.label, "nodegx:stack": names.stack}
        return tags if workflow is None else {**tags, "nodegx:workflow": workflow}


class Component(pulumi.ComponentResource):
    """A part of a deployment; its own parts are its children.

    Args:
        kind: name of the class.
        name: name of the component in the program.
        context: the deployment.
        opts: of the component; `aliases` also rename its children.
    """

    def __init__(
        self, kind: str, name: str, context: Context, opts: pulumi.ResourceOptions | None
    ) -> None:
        super().__init__(f"nodegx:aws:{kind}", name, None, opts)
        self.context = context

    def child(
        self,
        *,
        stateful: bool = False,
        depends_on: Sequence[pulumi.Resource] = (),
        ignore_changes: Sequence[str] = (),
    ) -> pulumi.ResourceOptions:
        """Options of a child.

        Args:
            stateful: whether it holds data, so that production must not lose it by accident.
            depends_on: what has to be there before, besides what its inputs come from.
            ignore_changes: properties that others set.
        """
        return pulumi.ResourceOptions(
            parent=self,
            protect=True if stateful and self.context.settings.production else None,
            depends_on=list(depends_on) or None,
            ignore_changes=list(ignore_changes) or None,
        )
