"""The unfinished executions of a deployment, and how operators have them go on."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.providers.errors import ProviderError
from nodegx.runtime.aws.client import AwsClient, AwsError
from nodegx.runtime.aws.waking import Waker
from nodegx.runtime.durable.codec import Codec
from nodegx.runtime.durable.dynamodb import DynamoRuns
from nodegx.runtime.durable.state import RunState, RunStatus
from nodegx.runtime.durable.store import Finish
from nodegx.runtime.errors import NodegxError
from nodegx.runtime.history.plain import plain

from .deployment import Deployment
from .history import thin_clients

GONE = "ResourceNotFoundException"


def open_runs(deployment: Deployment) -> DynamoRuns:
    """The unfinished executions of a deployment, to be closed by the caller.

    Raises:
        ProviderError: there are no credentials.
    """
    clients = thin_clients(deployment, "dynamodb", "s3")
    return DynamoRuns(
        deployment.names.history,
        dynamodb=clients["dynamodb"],
        s3=clients["s3"],
        bucket=deployment.place.data_bucket_name,
        host=f"cli-{secrets.token_hex(8)}",
        retention_days=deployment.project.spec.history.retention_days,
    )


class Wake:
    """Has a deployment go on with an execution, once an operator has let go of it.

    Args:
        deployment: the deployment.
        runs: its unfinished executions.
    """

    def __init__(self, deployment: Deployment, runs: DynamoRuns) -> None:
        self._deployment = deployment
        self._runs = runs
        self._clients = thin_clients(deployment, "lambda")
        self._waker = Waker(self._client, None)
        self._functions: dict[str, dict[str, Any]] | None = None

    def __call__(self, state: RunState) -> None:
        """Wakes an execution, or starts one that is not durable.

        Raises:
            ProviderError: its workflow is not deployed, or not with the code that it goes on with.
        """
        function = self._function(state.workflow)
        slug = str(function["slug"])
        live = f"{self._deployment.place.function(slug)}:{ALIAS}"
        try:
            if not state.durable and not function.get("continues"):
                self._start(state, live)
                return
            sleeper = self._runs.sleeper(state.id)
            if sleeper is None:
                return
            if sleeper.target is None and state.status is not RunStatus.QUEUED:
                self._check_code(state, slug)
            self._waker.now(state.id, sleeper.target or live)
        except AwsError as error:
            if error.code != GONE:
                raise
            raise ProviderError(
                f"the version that {state.id} began on is gone",
                "`nodegx executions migrate` moves it to the present one",
                "not found",
            ) from None

    def _start(self, state: RunState, live: str) -> None:
        """Starts an execution in a function that knows nothing of the store."""
        claimed = self._runs.claim_one(state.id, statuses=[RunStatus.QUEUED])
        if claimed is None:
            return
        try:
            value: Any = Codec({}, {}).decode(state.input)
        except NodegxError as error:
            self._release(claimed)
            raise ProviderError(
                f"{state.id} cannot be started again: {error.message}",
                "`--edit-input FILE` gives it an input",
            ) from None
        call = {"execution": state.id, "parent": state.parent, "depth": state.depth}
        mark = {"trigger": state.trigger, "call": call}
        try:
            self._client("lambda").request(
                "POST",
                f"/2015-03-31/functions/{quote(live, safe='')}/invocations",
                body=json.dumps({"nodegx": mark, "input": plain(value)}).encode(),
                headers={"X-Amz-Invocation-Type": "Event"},
            )
        except BaseException:
            self._release(claimed)
            raise
        self._runs.change([Finish(claimed.id, claimed.fence)])

    def _release(self, claimed: RunState) -> None:
        self._runs.update(replace(claimed, status=RunStatus.QUEUED, owner=None))

    def _check_code(self, state: RunState, slug: str) -> None:
        """An execution that was moved to other code needs that to be deployed."""
        name = self._deployment.names.function(slug)
        client = self._deployment.cloud.client("lambda")
        found = client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
        environment = cast("dict[str, Any]", found.get("Environment") or {})
        revision = environment.get("Variables", {}).get("NODEGX_REVISION", "")
        if revision != state.revision:
            raise ProviderError(
                f"{state.id} goes on with revision {state.revision}, which is not deployed",
                f"`nodegx deploy --stack {self._deployment.stack}`; it goes on by itself then",
            )

    def _function(self, workflow: str) -> dict[str, Any]:
        """What the plan says of a workflow's function."""
        if self._functions is None:
            try:
                plan = json.loads((self._deployment.home / "plan.json").read_text("utf-8"))
            except (OSError, ValueError):
                raise ProviderError(
                    "the project has no plan for AWS", "`nodegx compile --target aws` makes it"
                ) from None
            self._functions = {str(each["workflow"]): each for each in plan["functions"]}
        found = self._functions.get(workflow)
        if found is None:
            raise ProviderError(
                f"the plan has no workflow {workflow}",
                "`nodegx compile --target aws` makes it anew",
                "not found",
            )
        return found

    def _client(self, service: str) -> AwsClient:
        return self._clients[service]
