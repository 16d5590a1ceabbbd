from __future__ import annotations

import time
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.nodes.formats import FORMATS, matches

TABLE = {
    "date-time": (
        ["2024-02-29T23:59:59Z", "2024-01-01t00:00:00.123456789+05:30", "1998-12-31T23:59:60Z"],
        ["2023-02-29T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01", "2024-01-01T25:00:00Z", "x"],
    ),
    "date": (["2024-02-29"], ["2023-02-29", "2024-2-1", "20240201", "2024-W01-1", "2024-01-01x"]),
    "time": (["12:00:00Z", "23:59:60.5-01:00"], ["12:00", "12:00:00", "24:00:00Z"]),
    "email": (
        ["a@b.example", "first.last+tag@sub.example.org", "a@localhost"],
        ["a", "@b", "a@", "a b@c.example", "a..b@c.example", "a@-b.example", "a@b\n"],
    ),
    "hostname": (
        ["a.example", "xn--bcher-kva.example"],
        ["-a.example", "a..b", "a_b", "", "x" * 64],
    ),
    "ipv4": (["1.2.3.4"], ["1.2.3", "1.2.3.256", "01.2.3.4", "::1"]),
    "ipv6": (["::1", "2001:db8::8a2e"], ["1.2.3.4", ":::", "12345::"]),
    "uuid": (
        ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
        ["123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}", ""],
    ),
    "uri": (
        ["https://a.example/b?c=d#e", "urn:isbn:123", "mailto:a@b.example"],
        ["/a", "a b:c", "http://a.example:x/", "http://[::1/", "1:b"],
    ),
    "uri-reference": (["/a", "#b", "", "https://a.example"], ["a b", "ä", "\\"]),
    "regex": (["^a+$", ""], ["(", "a{2,1}", "[z-a]"]),
    "json-pointer": (["", "/a/0", "/a~1b"], ["a", "/a~2"]),
    "duration": (["P1D", "PT1H30M", "P2W", "P1Y2M3DT4H5M6.5S"], ["P", "PT", "1D", "P1H", "P1W2D"]),
}


@pytest.mark.parametrize("name", TABLE)
def test_formats(name: str) -> None:
    good, bad = TABLE[name]
    assert [value for value in good if not matches(name, value)] == []
    assert [value for value in bad if matches(name, value)] == []


def test_every_format_is_in_the_table() -> None:
    assert set(TABLE) == set(FORMATS)


def test_what_is_no_text_has_every_format() -> None:
    assert all(matches(name, 3) and matches(name, None) for name in FORMATS)
    assert matches("unknown", "x")


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(), st.ip_addresses(v=6), st.dates())
def test_what_python_writes_is_accepted(
    moment: object, uuid: object, ip: object, day: object
) -> None:
    assert matches("date-time", str(moment))
    assert matches("uuid", str(uuid))
    assert matches("ipv6", str(ip))
    assert matches("date", str(day))


def test_hostile_text_takes_no_time() -> None:
    start = time.process_time()  # other work on the machine must not count
    for name in FORMATS:
        for text in (
            "a" * 50_000,
            "a." * 25_000 + "!",
            "1" * 50_000,
            "/" * 50_000,
            "a@" + "a-" * 25_000,
        ):
            matches(name, text)
    assert time.process_time() - start < 2
