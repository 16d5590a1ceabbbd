"""Names and ARNs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.compiler.targets.aws.names import Names, Place, cut, is_arn, plain, unique

PLACE = Place(Names("Shop", "prod"), "123456789012", "eu-central-1")
TEXT = st.text(min_size=1, max_size=120)
SLUG = st.from_regex(r"[a-z][a-z0-9_]{0,150}", fullmatch=True)


def test_names_follow_from_project_stack_and_workflow() -> None:
    names = PLACE.names
    assert names.function("process_order") == "shop-prod-process_order"
    assert names.log_group("process_order") == "/aws/lambda/shop-prod-process_order"
    assert names.history == "shop-prod-history"
    assert names.dead_letters("process_order") == "shop-prod-process_order-dlq"
    assert names.dead_letters("process_order", fifo=True) == "shop-prod-process_order-dlq.fifo"
    assert names.queue("orders") == "shop-prod-orders"
    assert names.queue("orders.fifo") == "shop-prod-orders.fifo"
    assert names.shared == "shop-prod"
    assert names.rule("score", "created") == "shop-prod-score-created"
    assert names.schedule("report", "night") == "report-night"
    assert names.secret("API_KEY") == "shop-prod/API_KEY"
    assert PLACE.data_bucket_name == "shop-prod-data-123456789012"


def test_arns() -> None:
    where = "eu-central-1:123456789012"
    assert PLACE.alias("a") == f"arn:aws:lambda:{where}:function:shop-prod-a:live"
    assert PLACE.role("r") == "arn:aws:iam::123456789012:role/r"
    assert PLACE.history == f"arn:aws:dynamodb:{where}:table/shop-prod-history"
    assert PLACE.rule("a", "b") == f"arn:aws:events:{where}:rule/shop-prod/shop-prod-a-b"
    assert PLACE.bucket("uploads") == "arn:aws:s3:::shop-prod-uploads-123456789012"
    assert PLACE.secret("KEY") == f"arn:aws:secretsmanager:{where}:secret:shop-prod/KEY-??????"
    assert PLACE.stream("t") == f"arn:aws:dynamodb:{where}:table/shop-prod-t/stream/*"


def test_what_exists_already_keeps_its_arn() -> None:
    queue = "arn:aws:sqs:us-east-1:999999999999:jobs"
    stream = "arn:aws:dynamodb:us-east-1:999999999999:table/t/stream/2026"
    assert PLACE.queue(queue) == queue
    assert PLACE.stream(stream) == stream
    assert PLACE.table(stream) == "arn:aws:dynamodb:us-east-1:999999999999:table/t"
    assert PLACE.bucket("arn:aws:s3:::mine") == "arn:aws:s3:::mine"
    assert PLACE.bucket_name("arn:aws:s3:::mine") == "mine"
    assert is_arn("arn:aws-cn:sqs:cn-north-1:999999999999:jobs")
    assert not is_arn("jobs")


def test_other_partitions() -> None:
    place = Place(Names("shop", "prod"), "123456789012", "cn-north-1", "aws-cn")
    assert place.history.startswith("arn:aws-cn:dynamodb:cn-north-1:")


@pytest.mark.parametrize("limit", [20, 63, 64])
@given(text=st.from_regex(r"[a-z][a-z0-9_-]{0,200}", fullmatch=True))
@settings(max_examples=50)
def test_cutting_keeps_short_names_and_the_beginning_of_long_ones(text: str, limit: int) -> None:
    found = cut(text, limit)
    assert len(found) <= limit
    if len(text) <= limit:
        assert found == text
    else:
        assert found.rpartition("-")[0] == text[: limit - 9].rstrip("-_")


@given(TEXT, TEXT)
@settings(max_examples=100)
def test_long_names_that_differ_are_cut_to_different_ones(one: str, other: str) -> None:
    tail = "x" * 100
    if one != other:
        assert cut(one + tail) != cut(other + tail)


@given(TEXT, TEXT, SLUG, TEXT)
@settings(max_examples=100)
def test_whatever_the_project_is_called(project: str, stack: str, slug: str, given: str) -> None:
    place = Place(Names(project, stack), "123456789012", "eu-central-1")
    names = place.names
    for name in (
        names.function(slug),
        names.rule(slug, given),
        names.schedule(slug, given),
        names.table(given),
        names.queue(given),
        names.dead_letters(slug),
    ):
        assert re.fullmatch(r"[A-Za-z0-9_-]+(\.fifo)?", name), name
        assert len(name) <= 64
    for name in (names.function(slug), names.table(given), names.dead_letters(slug)):
        assert name.startswith(names.prefix)
    for bucket in (place.data_bucket_name, place.bucket_name(given)):
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket), bucket
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", names.label)


@given(TEXT, TEXT)
@settings(max_examples=100)
def test_names_that_had_to_change_stay_apart(one: str, other: str) -> None:
    if one != other:
        assert unique(one) != unique(other)


def test_names_without_a_latin_letter() -> None:
    assert re.fullmatch(r"x[0-9a-f]{8}", plain("注文"))
    assert plain("Größe!") == "Groe"
