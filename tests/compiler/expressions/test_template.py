"""Where expressions begin and end, and what is wrong with those that cannot be read."""

from __future__ import annotations

import pytest
from nodegx.compiler.expressions import (
    Expression,
    ExpressionError,
    Template,
    parse_expression,
    parse_template,
)


def parts(text: str) -> list[str | tuple[str, int]]:
    """Texts, and (source, offset) of expressions."""
    template = parse_template(text)
    if isinstance(template, str):
        return [template]
    return [
        (part.source, part.offset) if isinstance(part, Expression) else part
        for part in template.parts
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("plain }} text { with } braces", ["plain }} text { with } braces"]),
        ("{{ a }}", [("a", 3)]),
        ("{{a}}", [("a", 2)]),
        ("x {{ a }} y {{b}}", ["x ", ("a", 5), " y ", ("b", 14)]),
        ("{{ {'a': {'b': 1}} }}", [("{'a': {'b': 1}}", 3)]),
        ("{{ {'a': {'b': 1}}}}", [("{'a': {'b': 1}}", 3)]),
        ("{{ '}}' }}", [("'}}'", 3)]),
        ("{{ \"}}\" + '{{' }}", [("\"}}\" + '{{'", 3)]),
        (r"{{ 'it\'s }}' }}", [(r"'it\'s }}'", 3)]),
        ("{{ f'{a}}}' }}", [("f'{a}}}'", 3)]),
        ("{{ '''a' }}''' }}", [("'''a' }}'''", 3)]),
        ("{{\n  a\n  + b\n}}", [("a   + b", 5)]),
        ("{{ a }}}", [("a", 3), "}"]),
        (r"\{{ a }}", ["{{ a }}"]),
        (r"\\{{ a }}", ["\\", ("a", 5)]),
        (r"\\\{{ a }}", ["\\{{ a }}"]),
        (r"C:\dir\{{ a }}", [r"C:\dir{{ a }}"]),
        (r"C:\dir {{ a }}", ["C:\\dir ", ("a", 10)]),
        ("{{ 'ä' }} {{ b }}", [("'ä'", 3), " ", ("b", 13)]),
    ],
)
def test_templates_are_split(text: str, expected: list[str | tuple[str, int]]) -> None:
    assert parts(text) == expected


def test_an_expression_alone_is_told_from_text() -> None:
    alone, mixed = parse_template("{{ a }}"), parse_template("{{ a }} ")
    assert isinstance(alone, Template)
    assert isinstance(mixed, Template)
    assert alone.single is alone.parts[0]
    assert mixed.single is None


@pytest.mark.parametrize(
    ("text", "message", "at", "hint"),
    [
        ("x {{ a", "`{{` is never closed", "{{", r"\{{"),
        ("{{ }}", "empty", "{{", ""),
        ("{{ f(a }}", "`(` is never closed", "(", ""),
        ("{{ a) }}", "`)` closes nothing", ")", ""),
        ("{{ [a} }}", "`[` is never closed", "[", ""),
        ("{{ 'a }}", "never closed", "'", "close it with '"),
        ("{{ a && b }}", "`&&`", "&&", "`and`"),
        ("{{ a || b }}", "`||`", "||", "`or`"),
        ("{{ !a }}", "`!`", "!", "`not`"),
        ("{{ a === b }}", "`===`", "===", "`==`"),
        ("{{ a !== b }}", "`!==`", "!==", "`!=`"),
        ("{{ a ? b : c }}", "`?`", "?", "if condition else"),
        ("{{ a?.b }}", "`?.`", "?.", "get("),
        ("{{ a ?? b }}", "`??`", "??", "coalesce"),
        ("{{ a => b }}", "functions", "=>", "comprehension"),
        ("{{ `a` }}", "backticks", "`", 'f"'),
        ("{{ a = b }}", "does not compare", "=", "`==`"),
        ("{{ a := b }}", "assigned", ":=", "data.value"),
        ("{{ $json.a }}", "`$`", "$", "node's id"),
        ("{{ a; b }}", "one expression", ";", "remove"),
        ("{{ a # b }}", "comments", "#", "notes"),
        ("{{ undefined }}", "no `undefined`", "undefined", "null"),
        ("{{ a.b + c.__d__ }}", "`__d__` cannot be read", "__d__", 'value["__d__"]'),
        ("{{ lambda: 1 }}", "`lambda` is not allowed", "lambda", "comprehension"),
        ("{{ a b }}", "not an expression", "b", ""),
        ("{{ ä + [*b] }}", "`*`", "*b", "a + b"),
        ('{{ "ä" + x.__y }}', "`__y`", "__y", ""),
        ('{{ f"{a[\'b\']}" + f"{a["b"]}" }}', "do not match", '{a["', "use '"),
        ("{{ a }} {{ b | c }}", "`|`", "b |", "`or`"),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, message: str, at: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse_template(text)
    assert message in raised.value.message
    assert hint in raised.value.hint
    place = text.rindex(at) if at == '{a["' else text.index(at)
    assert abs(raised.value.offset - place) <= 2, text[raised.value.offset :]


def test_expressions_stand_without_braces_too() -> None:
    parsed = parse_expression("  order.body ")
    assert (parsed.source, parsed.offset) == ("order.body", 2)
    with pytest.raises(ExpressionError, match="closes nothing"):
        parse_expression("a }} b")
