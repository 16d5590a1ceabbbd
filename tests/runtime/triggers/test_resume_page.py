from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodegx.runtime.triggers.resume_form import TYPES, build, enter, shown
from nodegx.runtime.triggers.resume_page import POLICY, STYLE, form_page, message_page

VOID = {"input", "meta"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.others: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def structure(self) -> list[tuple[str, list[str]]]:
        return [(element.tag, list(element.attributes)) for element in self.elements]

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag and attributes.items() <= element.attributes.items()
        ]


def everything(*texts: str) -> dict[str, Any]:
    """A form with all types of fields, whose texts are all given."""
    title, description, label, value, choice, button = texts
    return {
        "title": title,
        "description": description,
        "fields": [
            {
                "name": f"f_{type}",
                "label": label,
                "type": type,
                "required": type == "email",
                "default": value,
                "choices": [choice, "other"] if type == "choice" else None,
            }
            for type in TYPES
        ],
        "actions": [{"value": button, "label": button}, {"value": "2", "label": label}],
    }


def pages(*texts: str) -> list[str]:
    """All pages, with texts of a workflow and of a caller."""
    form = build(everything(*texts), "ask")
    entered = {f"f_{type}": texts[3] for type in TYPES} | {"$action": texts[5] * 2, texts[0]: ""}
    faults = enter(form, entered, typed=False).faults
    assert faults
    plain = build({"title": texts[0], "submitLabel": texts[5]}, "ask")
    return [
        form_page(form, shown(form)),
        form_page(form, shown(form, entered), faults),
        form_page(plain, {}),
        message_page(texts[0], texts[1]),
        message_page(texts[0], texts[1], done=True, again=True),
    ]


# The first letter keeps texts from being blank or alike by chance.
TEXT = st.text(max_size=30).map(lambda text: f"x{text}") | st.sampled_from(
    [
        "x</textarea><script>alert(1)</script>",
        'x" autofocus onfocus="alert(1)',
        "x' onmouseover='alert(1)",
        "x</title><!--",
        "x{style}{0}{x.__class__}",
        "x&lt;b&gt;&amp;",
        "x</style><style>*{display:none}",
    ]
)
TEXTS = st.tuples(*(TEXT.map(lambda text, place=place: f"{place}{text}") for place in "abcdef"))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_no_text_is_taken_for_html(texts: tuple[str, ...]) -> None:
    # What is entered with line breaks is wrong in a field of one line, whatever else is in it.
    entered = "\n" if {"\n", "\r"} & set(texts[3]) else "d"
    harmless = pages("ax", "bx", "cx", f"d{entered}x", "ex", "fx")
    for page, expected in zip(map(Page, pages(*texts)), map(Page, harmless), strict=True):
        assert page.structure == expected.structure
        assert not page.others
        assert texts[0] in page.text  # it arrives as it was written


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_values_arrive_as_they_were_entered(texts: tuple[str, ...]) -> None:
    for page in map(Page, pages(*texts)[:2]):
        (entered,) = page.all("input", name="f_string")
        assert entered.attributes["value"] == texts[3]
        assert any(f"\n{texts[3]}" in text for text in page.texts)  # of the text area
        assert texts[4] in {option.attributes["value"] for option in page.all("option")}
        assert [button.attributes.get("value") for button in page.all("button")] == [
            None,
            texts[5],
            "2",
        ]


def test_every_field_has_its_label() -> None:
    page = Page(form_page(build(everything(*"tdlvcb"), "ask"), {}))
    controls = [each for tag in ("input", "select", "textarea") for each in page.all(tag)]
    ids = [control.attributes["id"] for control in controls]
    assert len(ids) == len(set(ids)) == len(TYPES)
    assert {label.attributes["for"] for label in page.all("label")} == set(ids)
    assert {each.attributes["name"] for each in controls} == {f"f_{type}" for type in TYPES}
    assert [each.attributes["name"] for each in controls if "required" in each.attributes] == [
        "f_email"
    ]


def test_what_is_wrong_is_told_beside_the_field_and_above_the_form() -> None:
    fields = [{"name": "sum", "label": "Sum", "type": "number"}, {"name": "note", "label": "Note"}]
    form = build({"title": "Refund", "fields": fields, "actions": [{"value": "ok"}]}, "ask")
    given = {"sum": "a lot", "note": "hi", "$action": "?"}
    text = form_page(form, shown(form, given), enter(form, given, typed=False).faults)
    page = Page(text)
    (wrong,) = page.all("input", name="sum")
    (right,) = page.all("input", name="note")
    assert wrong.attributes["aria-invalid"] == "true"
    assert wrong.attributes["value"] == "a lot"
    assert wrong.attributes["type"] == "text"  # a number's would show nothing of it
    assert "aria-invalid" not in right.attributes
    assert right.attributes["value"] == "hi"
    described = wrong.attributes["aria-describedby"] or ""
    assert f'<p class="fault" id="{described}">Sum must be a number.</p>' in text
    (summary,) = page.all("div", role="alert")
    assert "autofocus" in summary.attributes
    assert page.all("a", href=f"#{wrong.attributes['id']}")
    assert "Choose one of the buttons." in page.text
    assert "<title>Error: Refund</title>" in text


def test_enter_presses_no_button_where_there_are_several() -> None:
    several = Page(form_page(build({"actions": [{"value": "a"}, {"value": "b"}]}, "ask"), {}))
    assert several.all("button")[0].attributes == {"disabled": None, "hidden": None}
    one = Page(form_page(build({"actions": [{"value": "a"}]}, "ask"), {}))
    assert "disabled" not in one.all("button")[0].attributes


@pytest.mark.parametrize(
    ("default", "ticked"), [(True, True), ("true", True), (False, False), (None, False)]
)
def test_boxes_and_choices_stand_as_the_defaults_say(default: Any, ticked: bool) -> None:
    fields = [
        {"name": "box", "type": "boolean", "default": default},
        {"name": "size", "type": "choice", "choices": [1, 2, None, 2], "default": 2},
    ]
    form = build({"fields": fields}, "ask")
    page = Page(form_page(form, shown(form)))
    (box,) = page.all("input", name="box")
    assert ("checked" in box.attributes) is ticked
    options = [
        (each.attributes["value"], "selected" in each.attributes) for each in page.all("option")
    ]
    assert options == [("", False), ("1", False), ("2", True)]


def test_line_breaks_at_the_start_of_a_text_survive() -> None:
    form = build({"fields": [{"name": "note", "type": "text", "default": "\nhello"}]}, "ask")
    assert ">\n\nhello</textarea>" in form_page(form, shown(form))


def test_the_policy_allows_this_style_and_nothing_else() -> None:
    page = Page(message_page("Done", "Thank you.", done=True))
    (style,) = [text for text in page.texts if "color-scheme" in text]
    assert style == STYLE
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert POLICY.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    for text in pages("a", "b", "c", "d", "e", "f"):
        attributes = {name for each in Page(text).elements for name in each.attributes}
        assert not {"style", "src", "action", "formaction"} & attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert not Page(text).all("script")


def test_colours_have_enough_contrast() -> None:
    """WCAG 2.2 level AA, in light and in dark."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    themes = re.findall(r":root\{([^}]*--page[^}]*)\}", STYLE)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+):(#\w+)", theme))
        for front, back, least in (
            *((name, "card", 4.5) for name in ("ink", "soft", "bad")),
            ("on", "accent", 4.5),
            ("ink", "bad-soft", 4.5),
            *((name, "card", 3.0) for name in ("line", "accent", "good")),
        ):
            light, dark = sorted(
                (luminance(colours[front]), luminance(colours[back])), reverse=True
            )
            assert (light + 0.05) / (dark + 0.05) >= least, (front, back)
