from __future__ import annotations

import json
import time
from typing import Any

import pytest
from nodegx.providers.aws import logs
from nodegx.providers.aws.logs import Wanted, parse
from nodegx.providers.errors import ProviderError

from tests.providers.conftest import Deploy
from tests.support.by_hand import ByHand
from tests.support.projects import manual

pytestmark = pytest.mark.slow

REPORT = (
    "REPORT RequestId: 7f3c\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 61 MB\tInit Duration: 210.50 ms\t\n"
)


@pytest.fixture
def shop(by_hand: Deploy) -> ByHand:
    return by_hand(manual("One"), manual("Two"))


def write(
    shop: ByHand, slug: str, *messages: str | dict[str, Any], at: float | None = None
) -> None:
    """Writes lines a second apart, the last one now or at a time."""
    group = shop.deployment.names.log_group(slug)
    client = shop.client("logs")
    stream = f"stream-{time.time_ns()}"
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    begin = (time.time() if at is None else at) - len(messages) + 1
    client.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[
            {
                "timestamp": int((begin + index) * 1000),
                "message": each if isinstance(each, str) else json.dumps(each),
            }
            for index, each in enumerate(messages)
        ],
    )


def ours(message: str, level: str = "info", **fields: Any) -> dict[str, Any]:
    return {"time": "2026-11-23T10:00:00.000Z", "level": level, "message": message, **fields}


def messages(shop: ByHand, *slugs: str, **wanted: Any) -> list[str]:
    since = wanted.pop("since", time.time() - 600)
    found = logs.read(shop.deployment, slugs or ("one", "two"), Wanted(since, **wanted))
    return [line.message for line in found]


def test_lines_of_several_functions_in_the_order_of_time(shop: ByHand) -> None:
    now = time.time()
    write(shop, "one", ours("first"), ours("third"), at=now - 10)
    write(shop, "two", ours("second"), at=now - 10.5)
    assert messages(shop) == ["first", "second", "third"]
    assert messages(shop, "two") == ["second"]


def test_levels(shop: ByHand) -> None:
    write(shop, "one", ours("a", "debug"), ours("b", "warning"), ours("c", "error"), "plain")
    assert messages(shop, level="warning") == ["b", "c"]
    assert messages(shop) == ["a", "b", "c", "plain"]


def test_one_execution(shop: ByHand) -> None:
    write(shop, "one", ours("a", execution="01A"), ours("b", execution="01B"), "about 01A, plain")
    assert messages(shop, execution="01A") == ["a"]


def test_times(shop: ByHand) -> None:
    now = time.time()
    write(shop, "one", ours("old"), at=now - 300)
    write(shop, "one", ours("new"), at=now - 5)
    assert messages(shop, since=now - 60) == ["new"]
    assert messages(shop, until=now - 60) == ["old"]


def test_what_lambda_itself_writes_is_left_out(shop: ByHand) -> None:
    write(shop, "one", "START RequestId: 7f3c Version: 1", ours("a"), "END RequestId: 7f3c", REPORT)
    assert messages(shop) == ["a"]
    assert messages(shop, platform=True)[-1] == "took 12 ms, used 61 of 256 MB, start 210 ms"


def test_following(shop: ByHand) -> None:
    write(shop, "one", ours("before"))
    looks = 0

    def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        write(shop, "one", ours(f"new {looks}"))

    found = logs.follow(shop.deployment, ["one"], Wanted(time.time() - 60), sleep=sleep)
    seen = [next(found) for _ in range(6)]
    assert [None if line is None else line.message for line in seen] == [
        *("before", None),
        *("new 1", None),
        *("new 2", None),
    ]


def test_functions_that_are_not_there(shop: ByHand) -> None:
    with pytest.raises(ProviderError, match="three is not deployed in dev") as caught:
        messages(shop, "three")
    assert caught.value.kind == "not found"


@pytest.mark.parametrize(
    ("text", "level", "message", "fields"),
    [
        ('{"level": "ERROR", "message": "m", "node": "n"}', "error", "m", {"node": "n"}),
        ('{"message": "m", "level": "odd"}', "info", "m", {}),
        ('{"no": "message"}', "info", '{"no": "message"}', {"no": "message"}),
        ("{broken", "info", "{broken", {}),
        ("[1, 2]", "info", "[1, 2]", {}),
        ("[ERROR] KeyError: 'x'", "error", "[ERROR] KeyError: 'x'", {}),
        ("Traceback (most recent call last):", "error", "Traceback (most recent call last):", {}),
        ("START of something", "platform", "START of something", {}),
        ("STARTED", "info", "STARTED", {}),
        (
            '{"type": "platform.report", "record": {}}',
            "platform",
            "platform.report",
            {"record": {}},
        ),
    ],
)
def test_lines(text: str, level: str, message: str, fields: dict[str, Any]) -> None:
    line = parse("one", {"message": text, "timestamp": 1_700_000_000_500, "eventId": "7"})
    assert (line.level, line.message, line.fields) == (level, message, fields)
    assert (line.time, line.slug, line.id) == (1_700_000_000.5, "one", "7")
