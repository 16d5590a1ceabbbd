"""Files that are wrong in every way people and editors get them wrong, and what is said of them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nodegx.compiler.check import check
from nodegx.compiler.diagnostics import CODES, Diagnostic, DiagnosticError, to_json, to_text
from nodegx.compiler.read import parse, read

from tests.support.every_node import every_node

pytestmark = pytest.mark.slow

FILES = Path(__file__).parent / "malformed"

EXPECTED = {
    "alias_of_nothing": "NX301 5:28",
    "alternatives_missing": "NX304 5:5",
    "bad_escape": "NX104 2:14",
    "binary": "NX103 1:1",
    "brackets_in_brackets": "NX107 1:123",
    "closing_bracket_too_many": "NX104 2:1",
    "code_empty": "NX306 5:63",
    "code_inputs": "NX306 5:85",
    "code_nesting": "NX319 5:271",
    "code_outputs": "NX320 5:92, NX320 5:103, NX306 5:108, NX306 5:128",
    "code_syntax": "NX319 5:87",
    "component_number": "NX203 4:5",
    "components_and_nodes": "NX201 3:3",
    "components_empty": "NX204 1:16",
    "condition_group": "NX306 5:106, NX305 5:135, NX304 5:140, NX303 5:141",
    "condition_mixed": "NX305 5:65",
    "condition_number": "NX305 5:65",
    "condition_text": "NX305 5:65",
    "control_character": "NX104 2:13",
    "cron": "NX306 4:68",
    "cycle": "NX501 13:5",
    "cycle_of_one": "NX501 9:5",
    "cycle_unreached": "NX316 5:5, NX316 6:5, NX501 10:5",
    "dangling_source": "NX310 9:18",
    "dangling_target": "NX310 9:64",
    "data_into_signal": "NX312 8:5",
    "duplicate_id": "NX302 6:12",
    "duplicate_key": "NX105 4:3",
    "duplicate_key_deep": "NX105 5:72",
    "duplicate_wire": "NX315 9:5",
    "durable_false": "NX322 6:65, NX322 7:67, NX322 8:66, NX316 9:5",
    "durable_text": "NX203 3:27",
    "empty": "NX104 1:1",
    "exclusive_parameters": "NX318 5:69",
    "expression_after_escapes": "NX401 5:90",
    "expression_dunder": "NX401 5:81",
    "expression_syntax": "NX401 5:70",
    "expression_unclosed": "NX401 5:62",
    "half_surrogate": "NX109 5:63",
    "huge_float": "NX106 5:63",
    "huge_integer": "NX106 5:63",
    "id_empty": "NX204 4:12",
    "id_number": "NX203 4:12",
    "id_with_line_break": "NX204 4:12",
    "idempotency_expression": "NX307 4:88",
    "idempotency_header": "NX306 4:88, NX305 5:83, NX306 5:101, NX303 6:75",
    "idempotency_key": "NX306 4:96, NX304 5:86, NX303 6:95",
    "idle_parameter": "NX318 5:125",
    "infinity": "NX106 5:63",
    "item_expression_text": "NX305 5:105",
    "jmespath": "NX306 5:102",
    "json_schema": "NX306 5:100",
    "json_schema_reference": "NX306 5:100",
    "latin1": "NX103 2:12",
    "line_comment": "NX104 2:3",
    "literal_only": "NX307 5:69",
    "many_faults": "NX605 3:28, NX201 3:39, NX301 5:25, NX201 6:41, NX304 6:72, NX302 7:12, NX202 8:5, NX311 12:37, NX310 12:56",
    "missing_all_parameters": "NX304 5:5",
    "missing_colon": "NX104 2:10",
    "missing_comma": "NX104 2:14",
    "missing_node_type": "NX202 5:5",
    "missing_parameter": "NX304 5:55",
    "missing_wire_end": "NX202 8:5",
    "name_absolute_windows": "NX205 2:11",
    "name_backslash": "NX205 2:11",
    "name_dot": "NX205 2:11",
    "name_empty": "NX205 2:11",
    "name_empty_part": "NX205 2:11",
    "name_hidden": "NX205 2:11",
    "name_line_break": "NX205 2:11",
    "name_markup": "NX205 2:11",
    "name_null": "NX205 2:11",
    "name_traversal": "NX205 2:11",
    "name_traversal_inside": "NX205 2:11",
    "nan": "NX106 5:63",
    "nested_type": "NX306 5:124, NX305 5:136",
    "nested_unknown": "NX304 5:92, NX303 5:111",
    "never_closed": "NX104 3:13",
    "no_name": "NX202 1:1",
    "no_nodes": "NX202 1:1",
    "no_nodes_at_all": "NX317 3:12",
    "no_trigger": "NX317 3:12",
    "node_text": "NX203 1:25",
    "nodes_object": "NX203 1:24",
    "not_json": "NX104 1:1",
    "on_error_itself": "NX204 3:27",
    "parameter_boolean_as_number": "NX305 5:68",
    "parameter_choice": "NX306 5:94",
    "parameter_duration": "NX305 5:66",
    "parameter_moment": "NX306 5:63",
    "parameter_null": "NX305 5:68",
    "parameter_pattern": "NX306 5:66",
    "parameter_range": "NX306 5:68",
    "parameter_type": "NX305 5:68, NX305 5:85",
    "parameters_list": "NX203 5:53",
    "python_words": "NX104 2:25",
    "quote_inside_text": "NX104 2:15",
    "redact_path": "NX204 3:50",
    "resume_url_argument": "NX401 5:66, NX401 5:93, NX401 5:114",
    "retry_on_logic": "NX309 5:72, NX309 5:101",
    "retry_policy": "NX204 5:92, NX204 5:104, NX204 5:122",
    "root_list": "NX203 1:1",
    "root_text": "NX203 1:1",
    "same_name": "NX604 4:14",
    "same_route": "NX602 4:92",
    "same_slug": "NX604 4:14",
    "schedule_nothing": "NX304 4:59",
    "schedule_time_zone": "NX306 4:93",
    "schedule_too_often": "NX306 4:69",
    "secret_in_expression": "NX308 5:120",
    "secret_in_file": "NX308 5:120",
    "settings_wrong": "NX204 3:27, NX203 3:43, NX204 3:73, NX204 3:97",
    "signal_into_data": "NX312 9:5",
    "single_quoted_value": "NX104 2:11",
    "single_quotes": "NX104 2:3",
    "snake_case_key": "NX201 5:77",
    "switch_cases": "NX304 5:55, NX320 5:102, NX320 5:142, NX304 5:166, NX318 5:207",
    "switch_empty": "NX306 5:77",
    "text_for_number": "NX305 5:68",
    "time_zone": "NX605 3:28",
    "timeout_negative": "NX204 5:78",
    "trailing_comma": "NX104 3:14",
    "trailing_comma_in_list": "NX104 4:6",
    "trigger_secret_from_node": "NX307 4:110",
    "two_cycles": "NX501 10:5, NX501 12:5",
    "two_data_wires": "NX314 12:79",
    "two_documents": "NX104 2:1",
    "unclosed_text": "NX104 2:13",
    "unknown_input": "NX311 8:85",
    "unknown_key": "NX201 5:39",
    "unknown_output": "NX311 10:39",
    "unknown_parameter": "NX303 5:84",
    "unknown_root_key": "NX201 3:3",
    "unknown_type": "NX301 5:28",
    "unknown_type_far": "NX301 5:28",
    "unquoted_key": "NX104 2:3",
    "url_scheme": "NX306 5:63",
    "utf16": "NX103 1:1",
    "utf16_without_mark": "NX103 1:1",
    "utf32": "NX103 1:1",
    "values_in_circle": "NX501 5:5",
    "wait_condition_object": "NX305 5:67",
    "wait_condition_text": "NX305 5:67",
    "wait_form": "NX306 5:123, NX306 5:143, NX304 5:149, NX304 5:196",
    "wait_form_choice": "NX306 5:86, NX306 5:119",
    "wait_form_fields_expression": "NX307 5:85",
    "wait_form_method": "NX306 5:65",
    "wait_form_names": "NX306 5:74",
    "wait_output_of_another_kind": "NX304 6:5, NX311 11:37",
    "wait_poll": "NX306 5:106, NX303 5:117, NX306 5:144, NX306 5:158",
    "wait_poll_two_ways": "NX306 5:98",
    "wait_step_settings": "NX309 5:70, NX309 5:99",
    "wait_timeout_missing": "NX321 10:37",
    "wait_timeout_never": "NX321 10:37",
    "wait_two_kinds": "NX318 5:72",
    "wait_webhook_expression": "NX307 5:65",
    "wait_webhook_method": "NX306 5:77, NX306 5:85",
    "wait_webhook_secret": "NX308 5:100",
    "wait_webhook_wired": "NX307 9:77",
    "wait_without_effect": "NX318 5:69, NX318 5:94",
    "webhook_cors": "NX306 4:81",
    "webhook_jwt": "NX306 4:81",
    "webhook_method": "NX306 4:97",
    "webhook_path": "NX306 4:67",
    "wire_into_literal": "NX307 9:81",
    "wire_into_pure": "NX311 10:78",
    "wire_into_trigger": "NX311 9:82",
    "wire_switch_case": "NX311 10:38",
    "wire_types": "NX313 9:5",
}
"""Every finding about each file: code, line and column, in the order of the text."""


def findings_of(path: Path) -> list[Any]:
    with pytest.raises(DiagnosticError) as caught:
        check(read(path))
    return caught.value.diagnostics


def places(diagnostics: list[Any]) -> str:
    return ", ".join(f"{d.code} {d.line}:{d.column}" for d in diagnostics)


def test_every_file_is_in_the_table() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in FILES.glob("*.json"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_findings(name: str) -> None:
    found = findings_of(FILES / f"{name}.json")
    assert places(found) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_findings_are_worded_for_people(name: str) -> None:
    for found in findings_of(FILES / f"{name}.json"):
        assert found.code in CODES
        assert found.file == FILES / f"{name}.json"
        text = f"{found.message} {found.hint}"
        assert text.isprintable()
        assert not any(
            word in text for word in ("pydantic", "Input should", "Traceback", "http://")
        )
        assert len(found.message) < 400


def test_secrets_are_never_repeated() -> None:
    for name in ("secret_in_file", "secret_in_expression"):
        found = findings_of(FILES / f"{name}.json")
        assert "s3cr3t" not in to_text(found) + json.dumps(to_json(found))


def workflow(value: Any, **more: Any) -> dict[str, Any]:
    return {
        "name": "/#__cloud__/Large",
        "nodes": [
            {"id": "start", "type": "trigger.manual"},
            {"id": "set", "type": "data.set", "parameters": {"value": value}},
        ],
        "connections": [
            {
                "sourceId": "start",
                "sourcePort": "started",
                "targetId": "set",
                "targetPort": "run",
            }
        ],
        **more,
    }


def findings_in(data: Any, tmp_path: Path) -> list[Any]:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(data))
    return findings_of(path)


MEGABYTES_10 = "x" * 10_000_000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (workflow(MEGABYTES_10), "NX108 1:"),
        (workflow({"deep": [MEGABYTES_10]}), "NX108 1:"),
        (workflow(1, name=MEGABYTES_10), "NX108 1:10"),
        (workflow(1, name="x" * 201), "NX205 1:10"),
        (workflow(1, description="x" * 10_001), "NX204 1:"),
        (workflow({MEGABYTES_10: 1}), "NX108 1:"),
        ({MEGABYTES_10: 1}, "NX108 1:2"),
        (workflow("{{ " + "1 + " * 100_000 + "1 }}"), "NX401 1:"),
        (workflow("{{ " + "x" * 900_000 + " }}"), "NX401 1:"),
        (workflow("{{" * 400_000), "NX401 1:"),
        (workflow(1, nodes=[{"id": "x" * 900_000, "type": "y" * 900_000}]), "NX204 1:"),
        (workflow(1, nodes=[{"id": "a", "type": "trigger.manual", "x" * 900_000: 1}]), "NX201 1:"),
        (workflow(1, nodes=[{"id": "a", "type": "nope"}] * 3_000), "NX301 1:"),
        (
            workflow(1, connections=[{"sourceId": "zz" * 90, "sourcePort": "zz" * 90}] * 900),
            "NX202",
        ),
        (workflow("x" * 17_000_000), "NX102 1:1"),
    ],
)
def test_huge_parts(data: Any, expected: str, tmp_path: Path) -> None:
    found = findings_in(data, tmp_path)
    assert places(found).startswith(expected)
    assert len(to_text(found)) < 200_000
    assert len(found) <= 201


@pytest.mark.parametrize("depth", [101, 1_000, 100_000])
@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_deep_nesting(depth: int, pair: str) -> None:
    opening = "[" if pair == "[]" else '{"a":'
    text = opening * depth + "1" + pair[1] * depth
    with pytest.raises(DiagnosticError) as caught:
        parse(text)
    column = 100 * len(opening) + 1
    assert places(caught.value.diagnostics) == f"NX107 1:{column}"


def test_nesting_up_to_the_limit_is_checked_to_its_end() -> None:
    value: Any = "{{ 1 + }}"
    for _ in range(90):
        value = [value]
    with pytest.raises(DiagnosticError) as caught:
        check(parse(json.dumps(workflow(value))))
    (found,) = caught.value.diagnostics
    assert found.code == "NX401"
    assert len(found.pointer) == 94


def test_deep_nesting_that_is_never_closed() -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse("[" * 500_000)
    assert places(caught.value.diagnostics) == "NX107 1:101"


def test_deep_conditions() -> None:
    condition: Any = True
    for _ in range(90):
        condition = {"not": condition}
    data = workflow(1)
    data["nodes"][1] = {"id": "set", "type": "logic.if", "parameters": {"condition": condition}}
    assert check(parse(json.dumps(data))).workflows


def test_a_digit_run_is_no_number_to_choke_on() -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse('{"name": ' + "9" * 100_000 + "}")
    assert places(caught.value.diagnostics) == "NX106 1:10"


def test_escaped_quotes_that_never_end() -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse('{"name": "' + '\\"' * 1_000_000)
    assert places(caught.value.diagnostics) == "NX104 1:10"


# ------------------------------------------------------------------------------------- fuzzing

EXAMPLES = Path(__file__).parents[2] / "examples"
VALID = [
    every_node(),
    *(json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*/workflows/*.json"))),
]

WORDS = st.sampled_from(
    ["", "a", "run", "done", "order", "..", "{{ order }}", "{{", "{{ x[ }}", "\u0000", "5s", "💥",
     "logic.if", "trigger.webhook", "code.python", "data.json", "components", "nodes", "secrets"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS,
    st.text(max_size=20),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def containers(data: Any) -> list[Any]:
    found: list[Any] = []
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found.append(value)
            pending += value.values()
        elif isinstance(value, list):
            found.append(value)
            pending += value
    return found


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    data = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        places = [place for place in containers(data) if place]
        if not places:
            break
        place = draw(st.sampled_from(places))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        match draw(st.sampled_from(["replace", "remove", "rename", "copy"])):
            case "replace":
                place[key] = draw(JSON)
            case "remove":
                del place[key]
            case "rename" if isinstance(place, dict):
                place[draw(WORDS)] = place.pop(key)
            case _:
                other = draw(st.sampled_from(containers(data)))
                place[key] = copy.deepcopy(other)
    return data


def only_findings(text: str | bytes) -> None:
    found: list[Diagnostic] = []
    try:
        found += check(parse(text, Path("fuzz.json"))).warnings
    except DiagnosticError as error:
        found += error.diagnostics
        if not found:
            raise
    assert all(one.code in CODES and one.line and one.column for one in found)
    assert to_text(found).count("\n") >= len(found) - 1
    json.dumps(to_json(found))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_workflows_give_findings_and_nothing_else(data: Any) -> None:
    only_findings(json.dumps(data))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_damaged_bytes_give_findings_and_nothing_else(valid: Any, data: st.DataObject) -> None:
    content = bytearray(json.dumps(valid, indent=1).encode())
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(0, 30))
    content[start : start + length] = data.draw(st.binary(max_size=6))
    only_findings(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.one_of(JSON.map(json.dumps), st.text(alphabet="{}[]\":,\\ntrue1e-9 '/#", max_size=40)))
@example('{"a": "\\ud800"}')
@example("[1,]")
def test_any_text_gives_findings_and_nothing_else(text: str) -> None:
    only_findings(text)
