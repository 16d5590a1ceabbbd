"""Triggers whose source sends records in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nodegx.runtime.errors import NodegxError
from nodegx.runtime.workflow import Workflow

from .adapter import Adapter, Payload, is_taken
from .sources import Occurrence

Read = Callable[[Payload], Iterable[Occurrence]]


class Batch(Adapter):
    """Runs the workflow once for each record of a batch. Records of one group go one after the
    other, and those behind a failed one have to wait with it; groups go side by side.

    Args:
        workflow: the compiled workflow.
        node: id of the trigger node.
        type: its type.
        config: its parameters, as the manifest has them.
        source: what the records of a batch are marked with, such as `aws:sqs`.
        read: the values of a batch's records, those left out that the trigger does not want.
        reports: whether the source takes a list of the records that failed. If it does not, one
            failure fails the whole batch.
    """

    def __init__(
        self,
        workflow: Workflow,
        node: str,
        type: str,
        config: Payload | None,
        source: str,
        read: Read,
        *,
        reports: bool = True,
    ) -> None:
        super().__init__(workflow, node, type, config)
        self._source = source
        self._read = read
        self._reports = reports

    def accepts(self, event: Payload) -> bool:
        """Whether a batch comes from what this trigger watches."""
        records: list[Payload] = event.get("Records") or [{}]
        first = records[0]
        if first.get("eventSource") != self._source:
            return False
        if "s3" in first:
            name: str = first["s3"].get("configurationId", "")
            return name == self.node or name.endswith(f".{self.node}")
        watched = self.host.environment.sources.get(self.node)
        arn: str = first.get("eventSourceARN", "")
        return watched is None or arn == watched or arn.startswith(f"{watched}/")

    async def handle(self, event: Payload) -> Any:
        """Runs the workflow once for each record; returns those that failed.

        Raises:
            NodegxError: some failed, and the source does not ask which.
        """
        occurrences = list(self._read(event))
        groups: dict[str, list[Occurrence]] = {}
        for number, each in enumerate(occurrences):
            groups.setdefault(each.group or f"#{number}", []).append(each)
        self.host.runs(len(groups))
        ends = await asyncio.gather(*map(self._unfinished, groups.values()))
        failed = [each.id for end in ends for each in end]
        if failed and not self._reports:
            raise NodegxError(
                f"{self.workflow.name} failed for {len(failed)} of {len(occurrences)} records",
                code="batch",
                retriable=True,
            )
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}

    async def _unfinished(self, group: Sequence[Occurrence]) -> Sequence[Occurrence]:
        """Runs a group; returns what is to be sent again."""
        for position, each in enumerate(group):
            if not await self._succeeds(each):
                return group[position:]
        return ()

    async def _succeeds(self, occurrence: Occurrence) -> bool:
        try:
            execution = await self.accept(occurrence.value)
        except Exception as error:  # it could not be put on record, so it has not begun
            self.host.log.write(
                "error", f"a record was not taken: {error}", workflow=self.workflow.name
            )
            return False
        return is_taken(execution.record)
