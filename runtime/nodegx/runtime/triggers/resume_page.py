"""The pages of resume URLs: a form, and what there is to say afterwards.

They need no scripts, load nothing and keep nothing. All text that comes from elsewhere passes
`_fill`, which escapes whatever is not `Markup`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, LiteralString
from urllib.parse import quote

from .resume_form import ACTION, Fault, Field, Form

STYLE = """
:root{color-scheme:light dark;--page:#eef1f6;--card:#fff;--ink:#18202f;--soft:#566074;--line:#868fa1;
--edge:#dce1ea;--accent:#2450c8;--on:#fff;--bad:#b3261e;--bad-soft:#fdf0ef;--good:#1a7348}
@media (prefers-color-scheme:dark){:root{--page:#10141c;--card:#1a202b;--ink:#e9edf5;--soft:#a6b0c3;
--line:#78839a;--edge:#2d3647;--accent:#9db8ff;--on:#10182c;--bad:#ffb0a8;--bad-soft:#3a2123;
--good:#7fd6a8}}
*{box-sizing:border-box}
body{margin:0;padding:clamp(1rem,6vw,4rem) 1rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:36rem;margin:0 auto;padding:clamp(1.25rem,5vw,2.5rem);background:var(--card);
border:1px solid var(--edge);border-radius:1rem;box-shadow:0 1rem 2.5rem -1.5rem #0005;
overflow-wrap:anywhere}
h1{margin:0;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em}
.about{margin:.75rem 0 0;color:var(--soft);white-space:pre-line}
.field{margin-top:1.5rem}
label{display:block;font-weight:600}
.needed{font-weight:400;font-size:.875rem;color:var(--soft)}
.fault{margin:.25rem 0 0;color:var(--bad);font-weight:600;font-size:.9375rem}
input,select,textarea{display:block;width:100%;min-height:2.75rem;margin-top:.375rem;
padding:.5rem .75rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);
border-radius:.5rem}
textarea{min-height:7rem;resize:vertical}
[aria-invalid]{border:2px solid var(--bad)}
.tick{display:flex;align-items:center;gap:.75rem;min-height:2.75rem}
.tick input{flex:none;width:1.5rem;min-height:1.5rem;height:1.5rem;margin:0;padding:0;
accent-color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.summary{margin-top:1.5rem;padding:1rem 1.25rem;background:var(--bad-soft);
border-left:.3rem solid var(--bad);border-radius:.5rem}
.summary h2{margin:0;font-size:1rem}
.summary ul{margin:.25rem 0 0;padding-left:1.25rem}
a{color:inherit}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem;margin:2rem 0 0}
button,.button{flex:1 1 9rem;min-height:3rem;padding:.75rem 1.25rem;font:inherit;font-weight:600;
line-height:1.4;text-align:center;text-decoration:none;color:var(--ink);background:none;
border:1px solid var(--line);border-radius:.625rem;cursor:pointer}
button.first,.button{color:var(--on);background:var(--accent);border-color:var(--accent)}
button:hover,.button:hover{filter:brightness(1.12)}
.mark{display:block;width:3rem;height:3rem;margin-bottom:1rem;color:var(--good)}
@media (max-width:26rem){.buttons{flex-direction:column}button,.button{flex:none;width:100%}}
@media (prefers-contrast:more){:root{--soft:var(--ink);--edge:var(--line)}}
"""

POLICY = (
    "default-src 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The Content-Security-Policy of all pages: nothing but this style, nothing sent elsewhere."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _fill(template: LiteralString, **values: Any) -> Markup:
    """The template with its `{names}` replaced; what is not `Markup` is escaped."""
    return Markup(
        template.format_map(
            {
                name: value if isinstance(value, Markup) else escape(str(value))
                for name, value in values.items()
            }
        )
    )


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("".join(parts))


_NOTHING = Markup()
_STYLE = Markup(STYLE)


def form_page(form: Form, values: Mapping[str, str], faults: Sequence[Fault] = ()) -> str:
    """A page with a form.

    Args:
        form: what is asked.
        values: what stands in the fields, by name.
        faults: what was not entered as it should have been.
    """
    by_name = {fault.name: fault for fault in faults}
    about = _fill('<p class="about" dir="auto">{text}</p>\n', text=form.description)
    body = _fill(
        '<h1 dir="auto">{title}</h1>\n{about}{summary}'
        '<form method="post">\n{fields}{buttons}</form>\n',
        title=form.title,
        about=about if form.description else _NOTHING,
        summary=_summary(form, faults) if faults else _NOTHING,
        fields=_join(
            _field(field, values.get(field.name, ""), by_name.get(field.name))
            for field in form.fields
        ),
        buttons=_buttons(form),
    )
    return _page(f"Error: {form.title}" if faults else form.title, body)


def message_page(title: str, message: str, *, done: bool = False, again: bool = False) -> str:
    """A page that says something.

    Args:
        title: the heading.
        message: one or two sentences.
        done: whether something has succeeded.
        again: whether asking again may help.
    """
    body = _fill(
        '{mark}<h1>{title}</h1>\n<p class="about" dir="auto">{message}</p>\n{again}',
        mark=_MARK if done else _NOTHING,
        title=title,
        message=message,
        again=_AGAIN if again else _NOTHING,
    )
    return _page(title, body)


_MARK = Markup(
    '<svg class="mark" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/></svg>\n'
)
_AGAIN = Markup('<p class="buttons"><a class="button" href="">Try again</a></p>\n')


def _page(title: str, body: Markup) -> str:
    return _fill(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        "<title>{title}</title>\n<style>{style}</style>\n</head>\n"
        "<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        title=title,
        style=_STYLE,
        body=body,
    )


def _summary(form: Form, faults: Sequence[Fault]) -> Markup:
    """All that is wrong, above the form; it has the focus, so that nobody misses it."""
    labels = {field.name: field.label for field in form.fields}
    return _fill(
        '<div class="summary" role="alert" tabindex="-1" autofocus>\n'
        "<h2>This has not been sent yet</h2>\n<ul>\n{items}</ul>\n</div>\n",
        items=_join(_problem(labels.get(fault.name), fault) for fault in faults),
    )


def _problem(label: str | None, fault: Fault) -> Markup:
    if fault.name == ACTION:
        return _fill("<li>Choose one of the buttons.</li>\n")
    if label is None:
        return _fill("<li>{name} {message}.</li>\n", name=fault.name, message=fault.message)
    return _fill(
        '<li><a href="#{id}">{label} {message}.</a></li>\n',
        id=quote(_id(fault.name)),
        label=label,
        message=fault.message,
    )


def _buttons(form: Form) -> Markup:
    if not form.actions:
        return _fill(
            '<div class="buttons"><button class="first">{label}</button></div>\n',
            label=form.submit_label,
        )
    buttons = [
        _fill(
            '<button{first} name="{name}" value="{value}" dir="auto">{label}</button>\n',
            first=_NOTHING if number else Markup(' class="first"'),
            name=ACTION,
            value=action.value,
            label=action.label,
        )
        for number, action in enumerate(form.actions)
    ]
    # Enter in a field presses the first button: with several of them, one that does nothing, so
    # that nobody approves by accident.
    idle = Markup("<button disabled hidden></button>\n") if len(buttons) > 1 else _NOTHING
    return _fill('<div class="buttons">\n{idle}{all}</div>\n', idle=idle, all=_join(buttons))


def _field(field: Field, value: str, fault: Fault | None) -> Markup:
    id = _id(field.name)
    ticked = field.type == "boolean"
    own = _INPUTS.get(field.type, {})
    if fault and own.get("type") in ("number", "date"):
        own = {"type": "text"}  # others show nothing of what is no number or date
    attributes = _attributes(
        id=id,
        name=field.name,
        required=field.required,
        aria_invalid="true" if fault else None,
        aria_describedby=f"{id}-fault" if fault else None,
        **own,
    )
    label = _fill(
        '<label for="{id}" dir="auto">{label}{needed}</label>\n',
        id=id,
        label=field.label,
        needed=_NEEDED if field.required else _NOTHING,
    )
    control = _CONTROLS.get(field.type, _input)(field, value, attributes)
    return _fill(
        '<div class="field">\n{row}{fault}</div>\n',
        row=_fill('<div class="tick">{control}{label}</div>\n', control=control, label=label)
        if ticked
        else _join((label, control)),
        fault=_fill(
            '<p class="fault" id="{id}-fault">{label} {message}.</p>\n',
            id=id,
            label=field.label,
            message=fault.message,
        )
        if fault
        else _NOTHING,
    )


_NEEDED = Markup(' <span class="needed">(required)</span>')


def _id(name: str) -> str:
    return f"field-{name}"


def _input(_: Field, value: str, attributes: Markup) -> Markup:
    return _fill(
        "<input{attributes}{value}>\n", attributes=attributes, value=_attributes(value=value)
    )


def _textarea(_: Field, value: str, attributes: Markup) -> Markup:
    # Browsers drop a line break at the start.
    return _fill("<textarea{attributes}>\n{value}</textarea>\n", attributes=attributes, value=value)


def _checkbox(_: Field, value: str, attributes: Markup) -> Markup:
    ticked = _attributes(checked=value.lower() == "true")
    return _fill("<input{attributes}{ticked}>\n", attributes=attributes, ticked=ticked)


def _select(field: Field, value: str, attributes: Markup) -> Markup:
    options = [
        _fill(
            "<option{attributes}>{choice}</option>\n",
            attributes=_attributes(value=choice, selected=choice == value),
            choice=choice,
        )
        for choice in field.choices
        if choice
    ]
    nothing = _fill('<option value="">Choose…</option>\n')
    return _fill(
        "<select{attributes}>\n{options}</select>\n",
        attributes=attributes,
        options=_join((nothing, *options)),
    )


def _attributes(**values: str | bool | None) -> Markup:
    """HTML attributes: True is one without a value, False and None are none at all."""
    return _join(
        _fill(" {name}", name=name.replace("_", "-"))
        if value is True
        else _fill(' {name}="{value}"', name=name.replace("_", "-"), value=value)
        for name, value in values.items()
        if value is not None and value is not False
    )


_INPUTS: dict[str, dict[str, str | bool | None]] = {
    "string": {"type": "text", "dir": "auto"},
    "text": {"rows": "5", "dir": "auto"},
    "number": {"type": "number", "step": "any", "inputmode": "decimal"},
    "integer": {"type": "number", "step": "1", "inputmode": "numeric"},
    "boolean": {"type": "checkbox", "value": "true"},
    "date": {"type": "date"},
    "email": {"type": "email", "autocomplete": "email"},
}
_CONTROLS = {"text": _textarea, "boolean": _checkbox, "choice": _select}
