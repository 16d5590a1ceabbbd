"""The Python that expressions become."""

from __future__ import annotations

import ast

import pytest
from nodegx.compiler.expressions import (
    ExpressionError,
    Names,
    Template,
    compile_expression,
    compile_template,
    infer,
    parse_expression,
    parse_template,
    problems,
)


def spelled(code: ast.expr) -> str:
    """Code as text."""
    return ast.unparse(ast.fix_missing_locations(code))


def python(source: str, names: Names) -> str:
    """The code of an expression."""
    return spelled(compile_expression(parse_expression(source), names))


def respelled(code: str) -> str:
    """Code with the quotes that this version of Python would choose."""
    return spelled(ast.parse(code, mode="eval").body)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        # reading
        ("order.body", "order.body"),
        ("order.body.total", "order.body['total']"),
        ("order.body['total']", "order.body['total']"),
        ("order['body'].a[0].b[-1]", "order.body['a'][0]['b'][-1]"),
        ("order", "order._asdict()"),
        ("order.get('body')", "order._asdict().get('body')"),
        ("summary.items", "summary['items']"),
        ("summary.items()", "list(summary.items())"),
        ("summary[index].name", "summary[index]['name']"),
        ("summary[item.key]", "summary[item['key']]"),
        ("summary[1:index]", "summary[1:index]"),
        ("nodes['price list'].a", "price_list['a']"),
        ("vars.url", "run.vars['url']"),
        ("vars.flags.beta", "run.vars['flags']['beta']"),
        ("vars[item]", "run.vars[item]"),
        ("env.REGION", "run.env['REGION']"),
        ("secrets.KEY", "run.secrets['KEY']"),
        ("execution.id", "run.execution.id"),
        # constants and operators
        ("null", "None"),
        ("true and not false", "True and (not False)"),
        ("item == null", "item is None"),
        ("item.ok != true", "item['ok'] is not True"),
        ("1 == true", "1 == True"),
        ("-item.a + +1", "-item['a'] + +1"),
        ("1 < index <= 3", "1 < index <= 3"),
        ("item.a if index else null", "item['a'] if index else None"),
        ("(1, 2)", "[1, 2]"),
        ("item in (1, 2)", "item in (1, 2)"),
        ("item in {'a', 'b'}", "item in {'a', 'b'}"),
        ("{'a': item, 'b': [1]}", "{'a': item, 'b': [1]}"),
        # arithmetic that could be something else
        ("order.size * index", "order.size * index"),
        ("item.price * 2", "item['price'] * 2"),
        ("item.price * 1.19", "item['price'] * 1.19"),
        ("item.price * item.count", "fx.multiply(item['price'], item['count'])"),
        ("item.price * 2 * 2", "fx.multiply(item['price'] * 2, 2)"),
        ("order.method * 3", "fx.repeat(order.method, 3)"),
        ("'-' * 20", "fx.repeat('-', 20)"),
        ("order.size % 2", "order.size % 2"),
        ("item.n % 2", "fx.modulo(item['n'], 2)"),
        ("item.n ** 2", "fx.power(item['n'], 2)"),
        ("item.a / item.b * order.size", "item['a'] / item['b'] * order.size"),
        # functions and methods
        ("len(order.tags)", "len(order.tags)"),
        ("formatDate(now(), '%Y')", "fx.format_date(run.now(), '%Y')"),
        ("format_date(now(), format='%Y')", "fx.format_date(run.now(), format='%Y')"),
        ("sortBy(item, 'a', descending=true)", "fx.sort_by(item, 'a', descending=True)"),
        ("str(item)", "fx.text(item)"),
        ("replace(item, new='b', old='a')", "fx.replace(item, 'a', 'b')"),
        ("upper(text=item)", "fx.upper(item)"),
        ("truncate(length=3, suffix='.', text=item)", "fx.truncate(item, 3, suffix='.')"),
        ("round(item.a)", "round(item['a'])"),
        ("round(item.a, 2)", "round(item['a'], 2)"),
        ("round(item.a, index)", "fx.round(item['a'], index)"),
        ("item.name.upper()", "item['name'].upper()"),
        ("item.a.replace('-', '')", "item['a'].replace('-', '')"),
        ("item.a.replace('-', '--')", "fx.replace(item['a'], '-', '--')"),
        ("', '.join(order.tags)", "fx.join(order.tags, ', ')"),
        ("item.n.zfill(5)", "fx.zfill(item['n'], 5)"),
        ("range(3)", "fx.range(3)"),
        ("zip(order.tags, range(2))", "list(zip(order.tags, fx.range(2)))"),
        # text
        ("f'{order.method} {order.size}'", "f'{order.method} {order.size}'"),
        ("f'{item.a}!'", "f\"{fx.text(item['a'])}!\""),
        ("f'{item.a:.2f}'", "f\"{item['a']:.2f}\""),
        ("f'{{{order.method}}}'", "f'{{{order.method}}}'"),
        ("f'{text(\"a}b\")}'", "fx.concat(fx.text('a}b'))"),
        # loops
        ("[x.id for x in item.list if x.ok]", "[x['id'] for x in item['list'] if x['ok']]"),
        ("{k: v for k, v in item.items()}", "{k: v for k, v in item.items()}"),
        ("[i for i, x in enumerate(item)]", "[i for i, x in enumerate(item)]"),
        ("any(x > 1 for x in item)", "any((x > 1 for x in item))"),
        ("join(x.a for x in item)", "fx.join([x['a'] for x in item])"),
        ("[item for item in item.list]", "[item_2 for item_2 in item['list']]"),
        ("[run for run in item if vars.url]", "[run_2 for run_2 in item if run.vars['url']]"),
        ("[a for b in item for a in b.c]", "[a for b in item for a in b['c']]"),
        # loops whose work is counted
        (
            "[a for b in item for a in summary]",
            "[a for b in fx.loop(item) for a in fx.nested(summary)]",
        ),
        (
            "[c for a in item for b in a.b for c in a.c]",
            "[c for a in fx.loop(item) for b in a['b'] for c in fx.nested(a['c'])]",
        ),
        (
            "[x for x in item if x not in summary.known]",
            "[x for x in fx.loop(item) if x not in fx.scanned(summary['known'])]",
        ),
        ("[x.a + 'b' for x in item]", "[x['a'] + 'b' for x in item]"),
        ("[x.a + x.b for x in item]", "[x['a'] + x['b'] for x in item]"),
        (
            "[x.a + summary.b for x in item]",
            "[fx.counted(x['a'] + summary['b']) for x in fx.loop(item)]",
        ),
        ("[x.a + index for x in item]", "[x['a'] + index for x in item]"),
        (
            "[repeat('-', x.n) for x in item]",
            "[fx.counted(fx.repeat('-', x['n'])) for x in fx.loop(item)]",
        ),
        (
            "[summary.text[x:] for x in range(9)]",
            "[fx.counted(summary['text'][x:]) for x in fx.loop(fx.range(9))]",
        ),
        (
            "[y for x in item for y in range(x)]",
            "[y for x in fx.loop(item) for y in fx.nested(fx.range(x))]",
        ),
    ],
)
def test_expressions_become_python(source: str, code: str, names: Names) -> None:
    assert python(source, names) == respelled(code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ item }}", "item"),
        ("{{ item }} ", "f'{fx.text(item)} '"),
        (
            "Hi {{ item.name }}, {{ order.size }} {}",
            "f\"Hi {fx.text(item['name'])}, {order.size} {{}}\"",
        ),
        ("{{ vars.url }}/charges", "f\"{run.vars['url']}/charges\""),
        ("{{ vars.flags }}", "run.vars['flags']"),
        ("a {{ item == null }}", "f'a {fx.text(item is None)}'"),
        ('"{{ item[\'a"\'] }}"', "fx.concat('\"', item['a\"'], '\"')"),
        ("{{ f'{item}' }}!", "fx.concat(f'{fx.text(item)}', '!')"),
        (
            "{{ item.a if {'b': 1}.b else 'c' }}.",
            "fx.concat(item['a'] if {'b': 1}['b'] else 'c', '.')",
        ),
    ],
)
def test_templates_become_values_or_text(text: str, code: str, names: Names) -> None:
    template = parse_template(text)
    assert isinstance(template, Template)
    assert spelled(compile_template(template, names)) == respelled(code)


@pytest.mark.parametrize(
    ("source", "message", "at", "hint"),
    [
        ("ordr.body", "unknown name `ordr`", "ordr", "`order`"),
        ("nothing", "unknown name `nothing`", "nothing", "available: order, summary"),
        ("order.bdy", "`order` has no port 'bdy'", "bdy", "`body`"),
        ("order.nothing", "no port", "nothing", "it has: body, method, size, tags"),
        ("order.body + order.hlep", "no port", "hlep", ""),
        ("vars.urll", "no variable 'urll'", "urll", "`url`"),
        ("env.HOME", "no variable 'HOME'", "HOME", "REGION"),
        ("secrets", "literal name", "secrets", "secrets.NAME"),
        ("secrets[item]", "literal name", "secrets", "secrets.NAME"),
        ("execution", "not a value by itself", "execution", "execution.id"),
        ("nodes.x", "no node with the id 'x'", "x", ""),
        ("nodes[item]", "needs the id", "nodes", ""),
        ("lenn(item)", "unknown function `lenn`", "lenn", "`len`"),
        ("len", "`len` is a function", "len", "call it"),
        ("upper", "`upper` is a function", "upper", "call it"),
        ("print(item)", "unknown function `print`", "print", "history"),
        ("item.upper2()", "no method `upper2`", "upper2", "`upper`"),
        ("item.toUpperCase()", "no method", "toUpperCase", ".upper()"),
        ("item.format(1)", "no method `format`", "format", 'f"'),
        ("len()", "takes 1 argument, 0 given", "len", "len(value: any)"),
        ("slug(item, 1)", "takes 1 argument, 2 given", "slug", "slug("),
        ("replace(item)", "takes 3 to 4 arguments, 1 given", "replace", "replace("),
        ("min()", "at least 1 argument", "min", ""),
        ("truncate(item, size=3)", "no argument `size`", "size", "truncate("),
        ("truncate(item, suffix='a')", "misses `length`", "truncate", ""),
        ("upper(3)", "`text` of `upper` is text, not a number", "3", ""),
        ("upper(order.tags)", "not an array", "order", ""),
        ("order.method.foo", "this is text", "foo", ""),
        ("order.tags.length", "this is an array", "length", "len(value)"),
        ("order.size[0]", "a number", "0", ""),
        ("order.method - 1", "text cannot be calculated with", "order", "number(value)"),
        ("'a' + 1", "text and a number cannot be added", "1", "text(value)"),
        ("order.method == 1", "never equal", "1", "number(value)"),
        ("order.method < order.size", "cannot be ordered", "order.size", ""),
        ("1 in 'abc'", "text only contains text", "'abc'", ""),
        ("{'a': 1} + {'b': 2}", "cannot be added", "{", "merge"),
        ("order.size.upper()", "has no method `upper`", "upper", "text(value)"),
        ("{1, 2}", "a set has no order", "{", "unique"),
        ("(x for x in item)", "generator", "(", "square brackets"),
        ("[x() for x in item]", "a variable here", "x()", "rename"),
        ("[x for x in order.size]", "no elements", "order", "range(n)"),
        ("item.keys(1)", "takes 0 arguments", "item", ""),
    ],
)
def test_what_cannot_work_is_an_error_with_its_place(
    source: str, message: str, at: str, hint: str, names: Names
) -> None:
    with pytest.raises(ExpressionError) as raised:
        python(source, names)
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert abs(raised.value.offset - source.index(at)) <= 1, source[raised.value.offset :]


@pytest.mark.parametrize(
    ("source", "type"),
    [
        ("1", "integer"),
        ("1.5", "number"),
        ("'a'", "string"),
        ("null", "any"),
        ("true", "boolean"),
        ("[1]", "array"),
        ("{'a': 1}", "object"),
        ("[x for x in item]", "array"),
        ("{x: 1 for x in item}", "object"),
        ("item.a", "any"),
        ("order.size", "integer"),
        ("order.size + 1", "integer"),
        ("order.size / 2", "number"),
        ("item.a + 1", "number"),
        ("item.a + 'b'", "string"),
        ("item.a * item.b", "number"),
        ("item > 1", "boolean"),
        ("not item", "boolean"),
        ("1 if item else 2.5", "number"),
        ("1 if item else 'a'", "any"),
        ("order.method or 'GET'", "string"),
        ("upper(item)", "string"),
        ("item.a.split(',')", "array"),
        ("item.a.split(',')[0]", "any"),
        ("order.method[0]", "string"),
        ("f'{item}'", "string"),
        ("vars.rate", "number"),
        ("secrets.X", "string"),
        ("now()", "string"),
        ("len(item)", "integer"),
    ],
)
def test_types_are_inferred(source: str, type: str, names: Names) -> None:
    assert infer(parse_expression(source), names) == type


def test_types_are_inferred_without_names_too() -> None:
    template = parse_template("a {{ b }}")
    assert isinstance(template, Template)
    assert infer(template) == "string"
    assert infer(parse_expression("anything.goes + 1")) == "number"


def test_what_is_wrong_whatever_names_mean_is_found_in_every_expression() -> None:
    template = parse_template("{{ lenn(a) }} {{ b.c }} {{ 'x' + 1 }} {{ d.toFixed(2) }}")
    assert isinstance(template, Template)
    assert [(found.message, found.offset) for found in problems(template)] == [
        ("unknown function `lenn`", 3),
        ("text and a number cannot be added", 33),
        ("there is no method `toFixed`", 43),
    ]
