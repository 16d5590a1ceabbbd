from __future__ import annotations

from typing import Any

import pytest
from nodegx.runtime.triggers.resume_form import ACTION, Form, build, enter, shown

FIELDS = [
    {"name": "amount", "type": "number", "label": "Amount", "required": True},
    {"name": "count", "type": "integer", "default": 1},
    {"name": "agreed", "type": "boolean"},
    {"name": "size", "type": "choice", "choices": ["S", 2, True, None, {"a": 1}]},
]


def form(*fields: dict[str, Any], **config: Any) -> Form:
    return build({"fields": list(fields), **config}, "ask")


def read(type: str, value: Any, **config: Any) -> Any:
    entry = enter(form({"name": "x", "type": type, **config}), {"x": value}, typed=True)
    assert not entry.faults, entry.faults
    return entry.values["x"]


def fault(type: str, value: Any, **config: Any) -> str:
    entry = enter(form({"name": "x", "type": type, **config}), {"x": value}, typed=True)
    (found,) = entry.faults
    assert found.name == "x"
    return found.message


def test_texts_are_whatever_a_workflow_computes() -> None:
    made = form(
        {"name": "note", "label": None},
        title=7,
        description={"a": None},
        submitLabel=None,
        actions=[{"value": "yes"}, {"value": "no", "label": True}],
    )
    assert made.title == "7"
    assert made.description == '{"a":null}'
    assert made.submit_label == "Submit"
    assert [(field.name, field.label, field.type) for field in made.fields] == [
        ("note", "note", "string")
    ]
    assert [tuple(action) for action in made.actions] == [("yes", "yes"), ("no", "true")]
    assert build({}, "ask") == Form("ask", "", "Submit", (), ())


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        ("string", " a b ", " a b "),
        ("string", 5, "5"),
        ("text", "a\r\nb\rc\n", "a\nb\nc\n"),
        ("number", "007", 7),
        ("number", " -2.50 ", -2.5),
        ("number", ".5", 0.5),
        ("number", "1e3", 1000.0),
        ("number", 2, 2),
        ("integer", "12", 12),
        ("integer", "3.0", 3),
        ("integer", 3.0, 3),
        ("boolean", "true", True),
        ("boolean", False, False),
        ("date", " 2028-02-29 ", "2028-02-29"),
        ("email", " Ada+x@example.co.uk ", "Ada+x@example.co.uk"),
        ("string", "   ", None),
        ("integer", None, None),
        ("choice", "", None),
    ],
)
def test_reads_what_fits(type: str, value: Any, expected: Any) -> None:
    found = read(type, value)
    assert found == expected
    assert found.__class__ is expected.__class__


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        ("string", "a\nb", "must be one line"),
        ("string", ["a", "b"], "must be text"),
        ("text", {"filename": "x", "content": ""}, "must be text"),
        ("number", "12,5", "must be a number"),
        ("number", "NaN", "must be a number"),
        ("number", "1e999", "must be a number"),
        ("number", float("inf"), "must be a number"),
        ("number", "9" * 101, "must be a number"),
        ("number", "٣", "must be a number"),
        ("number", True, "must be a number"),
        ("integer", "2.5", "must be a whole number"),
        ("integer", "many", "must be a whole number"),
        ("boolean", "on", "must be true or false"),
        ("boolean", 1, "must be true or false"),
        ("date", "2026-02-29", "must be a date such as 2026-05-31"),
        ("date", "20260531", "must be a date such as 2026-05-31"),
        ("date", "2026-W22-7", "must be a date such as 2026-05-31"),
        ("date", [], "must be a date such as 2026-05-31"),
        ("email", "ada", "must be an email address"),
        ("email", "ada@example.com\nBcc: x@example.com", "must be an email address"),
        ("email", "a" * 250 + "@example.com", "must be an email address"),
        ("email", "a@" + "x-" * 120 + "!", "must be an email address"),
    ],
)
def test_refuses_what_does_not(type: str, value: Any, message: str) -> None:
    assert fault(type, value) == message


@pytest.mark.parametrize("value", [None, "", " \t"])
@pytest.mark.parametrize("type", ["string", "text", "number", "date", "email", "choice"])
def test_what_is_required_must_be_given(type: str, value: Any) -> None:
    assert fault(type, value, required=True, choices=["a"]) == "is required"


def test_a_required_box_must_be_ticked() -> None:
    assert fault("boolean", False, required=True) == "must be ticked"
    assert read("boolean", "true", required=True) is True


@pytest.mark.parametrize(
    ("sent", "value"),
    [("S", "S"), ("2", 2), (2, 2), ("true", True), (True, True), ('{"a":1}', {"a": 1})],
)
def test_a_choice_has_the_value_that_the_workflow_gave(sent: Any, value: Any) -> None:
    found = read("choice", sent, choices=FIELDS[3]["choices"])
    assert found == value
    assert found.__class__ is value.__class__


def test_a_choice_is_one_of_those_offered() -> None:
    assert fault("choice", "XL", choices=["S", 2]) == "must be one of S, 2"
    assert fault("choice", "1", choices=["S", True]) == "must be one of S, true"
    assert fault("choice", "S", choices=None) == "must be one of "


def test_defaults_stand_for_what_is_not_sent_but_not_for_what_was_emptied() -> None:
    made = form({"name": "a", "default": "x"}, {"name": "b", "type": "boolean", "default": True})
    assert enter(made, {}, typed=True).values == {"a": "x", "b": True}
    # A page says nothing of a box that was unticked.
    assert enter(made, {"a": ""}, typed=False).values == {"a": None, "b": False}
    wrong = form({"name": "a", "type": "date", "default": "soon"})
    assert [fault.name for fault in enter(wrong, {}, typed=True).faults] == ["a"]


def test_tells_everything_that_is_wrong() -> None:
    given = {"count": "x", "size": "XL", "other": 1, ACTION: "maybe"}
    made = form(*FIELDS, actions=[{"value": "yes"}, {"value": "no"}])
    assert [tuple(fault) for fault in enter(made, given, typed=False).faults] == [
        ("amount", "is required"),
        ("count", "must be a whole number"),
        ("size", 'must be one of S, 2, true, , {"a":1}'),
        (ACTION, "must be one of yes, no"),
        ("other", "is not a field of this form"),
    ]


@pytest.mark.parametrize("pressed", [None, "", "maybe", "YES", ["yes", "no"], ["yes"], True])
def test_an_unknown_action_is_refused(pressed: Any) -> None:
    made = form(actions=[{"value": "yes"}, {"value": "no"}])
    entry = enter(made, {ACTION: pressed}, typed=True)
    assert [tuple(fault) for fault in entry.faults] == [(ACTION, "must be one of yes, no")]
    assert entry.action is None


def test_the_action_that_was_chosen() -> None:
    made = form(actions=[{"value": "yes", "label": "Sure"}, {"value": "no"}])
    action = enter(made, {ACTION: "yes"}, typed=False).action
    assert action is not None
    assert tuple(action) == ("yes", "Sure")
    # Without buttons to choose between there is none.
    assert enter(form(), {ACTION: "yes"}, typed=False).faults


def test_a_field_may_be_called_action() -> None:
    made = form({"name": "action"}, actions=[{"value": "yes"}])
    entry = enter(made, {"action": "swim", ACTION: "yes"}, typed=True)
    assert (entry.values, entry.faults) == ({"action": "swim"}, [])


def test_what_the_page_shows() -> None:
    made = form(*FIELDS)
    assert shown(made) == {"amount": "", "count": "1", "agreed": "", "size": ""}
    given = {"amount": "a lot", "count": ["1", "2"], "agreed": "true", "size": {"filename": "x"}}
    assert shown(made, given) == {"amount": "a lot", "count": "", "agreed": "true", "size": ""}
