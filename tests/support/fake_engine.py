"""An engine that makes functions through the SDK instead of resources through `pulumi`.

For tests of commands alone: what they ask, show and pass on. The engine itself is tested with the
real command, and whole deployments end to end.
"""

from __future__ import annotations

from typing import Any

from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.providers.aws.deployment import Deployment
from nodegx.providers.aws.engine import StackInfo
from nodegx.providers.aws.steps import Outcome, Step

from tests.support.by_hand import ByHand

URN = "urn:pulumi:dev::shop::nodegx:aws:Workflow$aws:lambda/function:Function::"
FUNCTION = "aws:lambda/function:Function"


class FakeEngine:
    """Stands in for `Engine`.

    Attributes:
        operations: what was done, with the options that were given.
        drifted: what `drift` shall find.
        broken: raised by the next operation.
        kept: resources of the state, for `resources`.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.known = True
        self.values: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}
        self.drifted: list[Step] = []
        self.broken: BaseException | None = None
        self.kept: list[dict[str, Any]] | None = None

    def check(self) -> None:
        """Nothing is missing."""

    def stacks(self) -> list[StackInfo]:
        return [StackInfo("dev", None, 0, False)] if self.known else []

    def init(self, stack: str) -> None:
        self.known = True

    def remove(self, stack: str) -> None:
        self.known = False

    def outputs(self, stack: str) -> dict[str, Any]:
        return {}

    def config(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        shown = self.secrets if show_secrets else dict.fromkeys(self.secrets)
        return {**self.values, **shown}

    def set_config(
        self, stack: str, key: str, value: str, *, secret: bool = False, path: bool = False
    ) -> None:
        (self.secrets if secret else self.values)[key] = value

    def remove_config(self, stack: str, key: str, *, path: bool = False) -> None:
        self.values.pop(key, None)
        self.secrets.pop(key, None)

    def resources(self, stack: str) -> list[dict[str, Any]]:
        if self.kept is not None:
            return self.kept
        return [
            {"urn": URN + slug, "type": FUNCTION, "id": live.name, "custom": True}
            for slug, live in self._functions().items()
        ]

    def cancel(self, stack: str) -> None:
        """There are no locks."""

    def run(self, operation: str, stack: str, **options: Any) -> Outcome:
        on_step = options.pop("on_step", lambda step: None)
        options.pop("on_message", None)
        self.operations.append((operation, options))
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        steps = getattr(self, f"_{operation}", list)()
        for step in steps:
            on_step(step)
        changes: dict[str, int] = {}
        for step in steps:
            changes[step.op] = changes.get(step.op, 0) + 1
        outputs = {"url": "https://api.example", "versions": self._latest(), "dashboard": "shop"}
        return Outcome(steps, outputs=outputs if operation == "up" else {}, changes=changes)

    # --- what operations do --------------------------------------------------------------------

    def _preview(self) -> list[Step]:
        there = self._functions()
        return [
            Step("done", "same" if slug in there else "create", URN + slug, FUNCTION)
            for slug in self._made().prepared.bundles
        ]

    def _up(self) -> list[Step]:
        made = self._made()
        there = self._functions()
        if not there:
            made.deploy()
            return [Step("done", "create", URN + slug, FUNCTION) for slug in made.prepared.bundles]
        hold = bool(self.operations[-1][1].get("config"))
        return [
            Step("done", "update", URN + slug, FUNCTION, diffs=("code",))
            for slug, live in there.items()
            if self._update(made, slug, live.name, hold=hold)
        ]

    def _update(self, made: ByHand, slug: str, name: str, *, hold: bool) -> bool:
        client, bundle = made.client("lambda"), made.prepared.bundles[slug]
        now = client.get_function_configuration(FunctionName=name)
        if now["CodeSha256"] == bundle.code_sha256:
            return False
        found = client.update_function_code(
            FunctionName=name, ZipFile=bundle.path.read_bytes(), Publish=True
        )
        if not hold:
            client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=found["Version"])
        return True

    def _drift(self) -> list[Step]:
        return self.drifted

    def _destroy(self) -> list[Step]:
        client = self.deployment.cloud.client("lambda")
        steps: list[Step] = []
        for slug, live in self._functions().items():
            client.delete_function(FunctionName=live.name)
            steps.append(Step("done", "delete", URN + slug, FUNCTION, id=live.name))
        return steps

    def _latest(self) -> dict[str, str]:
        client = self.deployment.cloud.client("lambda")
        found: dict[str, str] = {}
        for slug, live in self._functions().items():
            listed = client.list_versions_by_function(FunctionName=live.name)["Versions"]
            found[slug] = max(
                (each["Version"] for each in listed if each["Version"] != "$LATEST"), key=int
            )
        return found

    def _functions(self) -> dict[str, Any]:
        project = self.deployment.project
        slugs = (path.parent.name for path in project.build.glob("*/manifest.json"))
        return self.deployment.functions(slugs)

    def _made(self) -> ByHand:
        return ByHand(self.deployment.project.root, self.deployment.stack)
