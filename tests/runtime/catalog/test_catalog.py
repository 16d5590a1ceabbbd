"""Every declaration agrees with itself, with what it calls, and with the format."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from nodegx.runtime.catalog import CATALOG, lookup
from nodegx.runtime.catalog.types import UNKNOWN, Kind, NodeType, Param, Type
from nodegx.runtime.run import Run

SIGNALS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "trigger.webhook": ((), ("received",)),
    "trigger.schedule": ((), ("fired",)),
    "trigger.manual": ((), ("started",)),
    "trigger.event": ((), ("received",)),
    "trigger.queue": ((), ("received",)),
    "trigger.file": ((), ("received",)),
    "trigger.record": ((), ("received",)),
    "cloud.request": ((), ("received",)),
    "cloud.response": (("run",), ("done", "failure")),
    "logic.if": (("run",), ("true", "false")),
    "logic.switch": (("run",), ("default",)),
    "logic.forEach": (("run",), ("iteration", "completed", "failure")),
    "logic.merge": (("run",), ("done",)),
    "logic.try": (("run",), ("try", "catch", "finally", "done")),
    "logic.retry": (("run",), ("attempt", "done", "failure")),
    "logic.stop": (("run",), ()),
    "logic.wait": (("run",), ("done", "timeout", "failure")),
    "data.value": ((), ()),
    "data.set": (("run",), ("done", "failure")),
    "data.transform": (("run",), ("done", "failure")),
    "data.json": (("run",), ("done", "failure")),
    "http.request": (("run",), ("done", "failure")),
    "code.python": (("run",), ("done", "failure")),
    "workflow.call": (("run",), ("done", "failure")),
    "workflow.emit": (("run",), ("done", "failure")),
}
WEBHOOK = ("method", "path", "params", "query", "headers", "body", "url", "client")
OUTPUTS = {
    "trigger.webhook": WEBHOOK,
    "cloud.request": (*WEBHOOK, "parameters"),
    "trigger.schedule": ("time", "scheduled"),
    "trigger.event": ("name", "data", "id", "time", "source"),
    "trigger.queue": ("body", "id", "attributes", "attempt"),
    "trigger.file": ("bucket", "key", "size", "event", "etag"),
    "trigger.record": ("event", "keys", "new", "old"),
    "logic.forEach": ("results", "errors"),
    "logic.wait": ("body", "query", "headers", "action", "response"),
    "http.request": ("status", "headers", "body", "url"),
}
WHOLE = {
    "trigger.manual": "value",
    "data.value": "value",
    "data.set": "value",
    "data.transform": "result",
    "data.json": "value",
    "code.python": "value",
    "workflow.call": "result",
    "workflow.emit": "id",
}
CONDITIONAL = {  # needed or not as their siblings are; their docs say when
    ("logic.switch", "value"),
    ("logic.switch", "cases[].case.value"),
    ("logic.switch", "cases[].case.when"),
    *(("http.request", f"multipart[].part.{name}") for name in ("value", "text", "base64")),
    *(
        (kind, f"{owner}.{name}")
        for kind, owner in (
            ("trigger.webhook", "auth"),
            ("cloud.request", "auth"),
            ("logic.wait", "webhook.auth"),
        )
        for name in ("secret", "publicKey", "jwksUrl")
    ),
}
EVERY = [pytest.param(node, id=node.type) for node in CATALOG.values()]


def walk(params: tuple[Param, ...], path: str = "") -> Iterator[tuple[str, Param]]:
    for param in params:
        name = f"{path}.{param.name}" if path else param.name
        yield name, param
        yield from walk(param.fields or (), name)
        if param.items is not None:
            yield from walk((param.items,), f"{name}[]")


def siblings(params: tuple[Param, ...]) -> Iterator[tuple[Param, ...]]:
    yield params
    for param in params:
        if param.fields:
            yield from siblings(param.fields)
        if param.items:
            yield from siblings((param.items,))


def test_the_catalog_holds_exactly_the_node_types_of_the_format() -> None:
    assert set(CATALOG) == set(SIGNALS)
    assert all(name == node.type for name, node in CATALOG.items())


def test_aliases() -> None:
    assert lookup("python.logic.if") is lookup("logic.if") is CATALOG["logic.if"]
    assert lookup("python.python.logic.if") is None
    assert lookup("logic.iff") is None
    assert lookup("code.python") is not None


@pytest.mark.parametrize("node", EVERY)
def test_ports(node: NodeType) -> None:
    signals = tuple(
        tuple(port.name for port in ports) for ports in (node.signals_in, node.signals_out)
    )
    assert signals == SIGNALS[node.type]
    whole = WHOLE.get(node.type)
    assert tuple(port.name for port in node.outputs) == (
        (whole,) if whole else OUTPUTS.get(node.type, ())
    )
    assert (node.whole.name if node.whole else None) == whole
    assert (node.kind is Kind.TRIGGER) == (
        node.type in ("cloud.request",) or "trigger." in node.type
    )


def sentences(node: NodeType) -> Iterator[tuple[str, str]]:
    yield "title.", node.title + "."
    yield "doc", node.doc
    for signal in (*node.signals_in, *node.signals_out):
        yield signal.name, signal.doc
    for output in node.outputs:
        yield output.name, output.doc
    for name, param in walk(node.params):
        yield name, param.doc


@pytest.mark.parametrize("node", EVERY)
def test_everything_is_documented_in_sentences(node: NodeType) -> None:
    assert node.category
    for name, doc in sentences(node):
        assert doc[:1].isupper() or doc[:1] == "`", (name, doc)
        assert doc.endswith("."), (name, doc)
        assert doc.count("`") % 2 == 0, (name, doc)
        assert not re.search(r"  |\n| ,|\.\.(?!\.)", doc.replace("[...]", "").replace("...", "")), (
            name,
            doc,
        )


@pytest.mark.parametrize("node", EVERY)
def test_what_may_be_left_out_says_what_happens_then(node: NodeType) -> None:
    """An optional parameter names its default, unless it is one of alternatives."""
    alternatives = {name for group in node.alternatives if group.required for name in group.names}
    for name, param in walk(node.params):
        if param.required or name in alternatives or re.search(r"\.item$|\[\]\.\w+$", name):
            continue
        if (node.type, name) in CONDITIONAL:
            continue
        assert "efault" in param.doc, (name, param.doc)


@pytest.mark.parametrize("node", EVERY)
def test_defaults_fit_their_own_declaration(node: NodeType) -> None:
    for name, param in walk(node.params):
        if param.choices and param.default is not None:
            assert param.default in param.choices, name
        if param.default is not None and not isinstance(param.default, tuple):
            assert fault(param, param.default) is None, name
        assert not (param.required and param.default is not None), name
        for value in param.examples:
            assert fault(param, value) is None, (name, value)


@pytest.mark.parametrize("node", EVERY)
def test_conditions_name_siblings_and_their_choices(node: NodeType) -> None:
    for group in siblings(node.params):
        names = [param.name for param in group]
        assert len(set(names)) == len(names)
        for param in group:
            if param.when is not None:
                sibling = next(other for other in group if other.name == param.when.param)
                assert set(param.when.values) <= set(sibling.choices)
    for alternatives in node.alternatives:
        assert all(node.param(name) for name in alternatives.names)
    if node.variant is not None:
        variant = node.param(node.variant)
        assert variant is not None
        assert variant.literal
        assert isinstance(node.call, dict)
        assert set(node.call) == set(variant.choices)
    if node.dynamic_outputs is not None:
        assert node.param(node.dynamic_outputs) is not None


def test_secrets_are_marked() -> None:
    secret = {
        f"{node.type}.{name}"
        for node in CATALOG.values()
        for name, param in walk(node.params)
        if param.secret
    }
    called = {
        f"{owner}.auth.{name}"
        for owner in ("trigger.webhook", "cloud.request", "logic.wait.webhook")
        for name in ("key", "password", "secret")
    }
    calling = {
        f"{owner}.auth.{name}"
        for owner in ("http.request", "logic.wait.poll")
        for name in ("password", "token", "key", "clientSecret")
    }
    assert secret == called | calling


def test_secrets_of_callers_are_never_needed_by_value_in_a_handler() -> None:
    """What `auth` of a webhook compares with is looked up when a request comes."""
    webhook = CATALOG["logic.wait"].param("webhook")
    assert webhook is not None
    assert webhook.by_name


# --- what is called --------------------------------------------------------------------------


def function_of(call: str) -> Any:
    module, _, name = call.partition(".")
    if module == "run":
        return getattr(Run, name)
    return getattr(importlib.import_module(f"nodegx.runtime.nodes.{module}"), name)


def calls() -> Iterator[Any]:
    for node in CATALOG.values():
        if node.call is None:
            continue
        variants = {None: node.call} if isinstance(node.call, str) else node.call
        for value, call in variants.items():
            yield pytest.param(node, value, call, id=call)


def applying(node: NodeType, variant: str | None) -> list[Param]:
    return [
        param
        for param in node.params
        if param.runtime
        and (param.when is None or param.when.param != node.variant or variant in param.when.values)
    ]


@pytest.mark.parametrize(("node", "variant", "call"), [*calls()])
def test_the_implementation_has_the_declared_arguments(
    node: NodeType, variant: str | None, call: str
) -> None:
    parameters = dict(inspect.signature(function_of(call)).parameters)
    for implicit in ("self", "node"):
        if call.startswith("run."):
            parameters.pop(implicit)
    declared = applying(node, variant)
    keywords = [param.keyword for param in declared]
    keywords += [signal.argument for signal in node.signals_out if signal.argument is not None]
    assert sorted(keywords) == sorted(parameters)
    positional = [name for name in node.positional if any(param.name == name for param in declared)]
    by_position = [
        name
        for name, one in parameters.items()
        if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    named = {param.name: param.keyword for param in declared}
    assert [named[name] for name in positional] == by_position[: len(positional)]


@pytest.mark.parametrize(("node", "variant", "call"), [*calls()])
def test_the_implementation_has_the_declared_defaults(
    node: NodeType, variant: str | None, call: str
) -> None:
    parameters = inspect.signature(function_of(call)).parameters
    groups = {name for group in node.alternatives for name in group.names}
    for param in applying(node, variant):
        default = parameters[param.keyword].default
        if default is inspect.Parameter.empty:
            # The compiler writes what stands in a place, default or not.
            assert param.required or param.name in node.positional, param.name
        elif not param.required or param.name in groups:
            assert default == param.default, param.name


def test_variants() -> None:
    node = CATALOG["data.json"]
    assert node.call_for({"operation": "parse"}) == "json.parse"
    assert node.packages_for({"operation": "validate", "schema": {"type": "object"}}) == ()
    other = {"operation": "validate", "schema": {"$ref": "#anchor"}}
    assert node.packages_for(other) == ("jsonschema",)
    assert node.packages_for({"operation": "parse"}) == ()
    assert node.call_for({}) is None
    assert CATALOG["http.request"].call_for({}) == "http.request"
    assert CATALOG["logic.if"].call_for({}) is None


@pytest.mark.parametrize(
    ("pagination", "packages"),
    [
        (None, ()),
        ({"mode": "page", "items": "data.items"}, ()),
        ({"mode": "page", "items": "$.items"}, ()),
        ({"mode": "page", "items": "data[?open]"}, ("jmespath",)),
        ({"mode": "page", "items": "$..open", "total": "total"}, ("python-jsonpath",)),
        (UNKNOWN, ("jmespath", "python-jsonpath")),
    ],
)
def test_pages_need_libraries_only_for_paths_that_are_not_plain(
    pagination: Any, packages: tuple[str, ...]
) -> None:
    given = {} if pagination is None else {"pagination": pagination}
    assert CATALOG["http.request"].packages_for(given) == packages


# --- examples --------------------------------------------------------------------------------

KINDS: dict[Type, tuple[type, ...]] = {
    Type.STRING: (str,),
    Type.NUMBER: (int, float),
    Type.INTEGER: (int,),
    Type.BOOLEAN: (bool,),
    Type.OBJECT: (dict,),
    Type.ARRAY: (list, tuple),
    Type.PYTHON: (str,),
    Type.JSON_SCHEMA: (dict, bool),
    Type.ITEM_EXPRESSION: (str,),
}


def fault(param: Param, value: Any, *, literal: bool = False) -> str | None:
    """Why a value does not fit its declaration; a second, plain reading of the declarations."""
    literal = literal or param.literal
    if param.many and isinstance(value, list):
        return next((found for one in value if (found := fault(param, one))), None)
    if isinstance(value, str) and "{{" in value:
        if param.secret and not re.fullmatch(r"\{\{ secrets\.\w+ \}\}", value):
            return f"{param.name} must be a secret"
        return f"{param.name} has a template" if literal and not param.secret else None
    if param.secret:
        return f"{param.name} holds a secret"
    if not isinstance(value, KINDS.get(param.type, (object,))):
        return f"{param.name} has the wrong type"
    if param.choices and value not in param.choices:
        return f"{param.name} is no choice"
    if param.pattern and not re.fullmatch(param.pattern, value):
        return f"{param.name} does not match"
    for limit, sign in ((param.minimum, 1), (param.maximum, -1)):
        if limit is not None and isinstance(value, int | float) and sign * value < sign * limit:
            return f"{param.name} is out of range"
    if param.check is not None and (found := param.check(value)):
        return f"{param.name} {found}"
    if param.fields is not None:
        return members_fault(param.fields, value, literal=literal)
    if param.items is not None:
        items = (fault(param.items, one, literal=literal) for one in value)
        return next((found for found in items if found), None)
    return None


def members_fault(
    params: tuple[Param, ...], given: dict[str, Any], *, literal: bool = False
) -> str | None:
    declared = {param.name: param for param in params}
    for name in given:
        if name not in declared:
            return f"{name} is unknown"
    for name, param in declared.items():
        applies = True
        if param.when is not None:
            sibling = declared[param.when.param]
            applies = given.get(sibling.name, sibling.default) in param.when.values
        if name in given and not applies:
            return f"{name} does not apply"
        if name not in given and param.required and applies:
            return f"{name} is missing"
        if name in given and (found := fault(param, given[name], literal=literal)):
            return found
    return None


@pytest.mark.parametrize("node", EVERY)
def test_the_example_is_valid(node: NodeType) -> None:
    assert members_fault(node.params, dict(node.example)) is None
    for group in node.alternatives:
        given = [name for name in group.names if name in node.example]
        assert len(given) == 1 or (not given and not group.required)
    assert node.example or not node.params


def test_a_wrong_example_would_be_noticed() -> None:
    params = CATALOG["http.request"].params
    good = dict(CATALOG["http.request"].example)
    for change in (
        {"url": 3},
        {"url": "ftp://x"},
        {"method": "FETCH"},
        {"auth": {"type": "bearer", "token": "written down"}},
        {"auth": {"type": "bearer"}},
        {"auth": {"type": "basic", "token": "{{ secrets.T }}"}},
        {"timeout": "soon"},
        {"maxRedirects": 0},
        {"successStatus": ["2xx"]},
        {"allowMetadata": "{{ order.body.yes }}"},
        {"unknown": 1},
    ):
        assert members_fault(params, good | change) is not None, change
