from __future__ import annotations

import pytest
from nodegx.runtime.history.metrics import roll_up
from nodegx.runtime.history.record import ExecutionRecord, Status

GOING_ON = {Status.RUNNING, Status.WAITING, Status.QUEUED}


@pytest.mark.parametrize("status", Status)
def test_a_status_is_an_end_or_not(status: Status) -> None:
    assert status.ended == (status not in GOING_ON)
    record = ExecutionRecord("X", "/A", "t", status, 7200.0)
    assert sum(row.count for row in roll_up([record])) == status.ended


def test_metrics_come_in_one_order() -> None:
    records = [
        ExecutionRecord("X", workflow, "t", Status.SUCCESS, hour * 3600.0, hour * 3600.0 + 1)
        for hour in (2, 1)
        for workflow in ("/B", "/A")
    ]
    rolled = roll_up(records)
    assert [(row.hour, row.workflow) for row in rolled] == [
        *((3600, "/A"), (3600, "/B"), (7200, "/A"), (7200, "/B"))
    ]
