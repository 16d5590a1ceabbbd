"""Failures in words that the author of a workflow understands.

An expression such as `{{ order.body.total > 100 }}` is plain Python in the handler, so what it
raises are plain Python errors. Here they get back the author's terms: paths with dots, and JSON's
names of types.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .errors import ErrorInfo, NodegxError

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from .sourcemap import SourceMap

_KINDS = {
    "NoneType": "null",
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "Decimal": "a number",
    "str": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "bytes": "binary data",
}


def describe_type(value: Any) -> str:
    """What a value is, in JSON's terms: `a number`, `text`, `null`."""
    return _kind(type(value).__name__)


def is_retriable(error: BaseException) -> bool:
    """Whether trying again may help."""
    if isinstance(error, NodegxError):
        return error.retriable
    return isinstance(error, (TimeoutError, ConnectionError))


def code_of(error: BaseException) -> str:
    """Stable name of the kind of an error; `python.KeyError` for what is not ours."""
    return error.code if isinstance(error, NodegxError) else f"python.{type(error).__name__}"


def error_info(
    error: BaseException, source: SourceMap | None, *, node: str | None, attempts: int
) -> ErrorInfo:
    """What a workflow sees of an error, before secrets are taken out of it."""
    return ErrorInfo(
        message=describe(error, source),
        code=code_of(error),
        category="retriable" if is_retriable(error) else "fatal",
        node=node,
        attempts=attempts,
        details=error.details if isinstance(error, NodegxError) else None,
    )


def describe(error: BaseException, source: SourceMap | None = None) -> str:
    """One sentence about an error; about the failing expression where `source` knows it."""
    if isinstance(error, NodegxError):
        return error.message
    if source is not None:
        try:
            sentence = _in_workflow_terms(error, source)
        except Exception:  # an explanation must never become a failure of its own
            sentence = None
        if sentence is not None:
            return sentence
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the module `{error.name}` is not installed; `packages` says what a node needs"
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _in_workflow_terms(error: BaseException, source: SourceMap) -> str | None:
    explain = next((f for kind, f in _EXPLAINERS if isinstance(error, kind)), None)
    if explain is None:
        return None
    text = source.expression_of(error)
    if text is None:
        return None
    import ast

    tree = ast.parse(f"({text}\n)", mode="eval").body
    return explain(error, tree)


def _quote(tree: ast.expr) -> str:
    """An expression of the handler as the author wrote it: `order.body["total"]` reads
    `order.body.total` again."""
    import ast

    class Dotted(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            self.generic_visit(node)
            key = node.slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                name = key.value
                if name.isidentifier():
                    return ast.Attribute(node.value, name, ast.Load())
            return node

        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            self.generic_visit(node)
            if isinstance(node.value, ast.Name) and node.value.id in ("run", "fx"):
                return ast.Name(node.attr, ast.Load())
            return node

        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            if isinstance(node.func, ast.Attribute) and node.func.attr == "_asdict":
                return node.func.value
            return node

    text = ast.unparse(Dotted().visit(tree))
    return f"`{text if len(text) <= 120 else text[:117] + '...'}`"


def _missing_key(error: BaseException, tree: ast.expr) -> str | None:
    import ast

    if not isinstance(tree, ast.Subscript):
        return None
    return f"{_quote(tree.value)} has no key {error.args[0]!r}"


def _missing_element(error: BaseException, tree: ast.expr) -> str | None:
    import ast

    if not isinstance(tree, ast.Subscript):
        return None
    if isinstance(tree.slice, ast.Constant) or (
        isinstance(tree.slice, ast.UnaryOp) and isinstance(tree.slice.operand, ast.Constant)
    ):
        return f"{_quote(tree.value)} has no element {ast.unparse(tree.slice)}"
    return f"{_quote(tree.value)} has no element at {_quote(tree.slice)}"


def _division(error: BaseException, tree: ast.expr) -> str:
    return f"division by zero in {_quote(tree)}"


def _missing_attribute(error: BaseException, tree: ast.expr) -> str | None:
    import ast

    # A call of a method is blamed as a whole: `order.body.upper()`.
    if isinstance(tree, ast.Call):
        tree = tree.func
    if not isinstance(tree, ast.Attribute) or not isinstance(error, AttributeError):
        return None
    if error.obj is None:
        return _about_null(tree.value, tree.attr)
    return f"{_quote(tree.value)} is {_kind(type(error.obj).__name__)}, without `{tree.attr}`"


def _about_null(owner: ast.expr, key: str | None) -> str:
    import ast

    if isinstance(owner, ast.Name):
        return f"{_quote(owner)} did not run in this execution, or has no value"
    return f"{_quote(owner)} is null" + (f", so it has no `{key}`" if key else "")


def _kind(name: str) -> str:
    return _KINDS.get(name, f"a {name}")


def _wrong_type(error: BaseException, tree: ast.expr) -> str | None:
    message = str(error)
    for pattern, explain in _TYPE_ERRORS:
        found = re.match(pattern, message)
        if found is not None:
            return explain(tree, *found.groups())
    return None


def _comparison(tree: ast.expr, operator: str, left: str, right: str) -> str:
    return f"cannot compare {_kind(left)} with {_kind(right)} in {_quote(tree)}"


def _operands(tree: ast.expr, operator: str, left: str, right: str) -> str:
    return f"cannot apply `{operator}` to {_kind(left)} and {_kind(right)} in {_quote(tree)}"


def _joining(tree: ast.expr, left: str, right: str) -> str:
    return f"cannot join {_kind(left)} and {_kind(right)} in {_quote(tree)}"


def _subscript(tree: ast.expr, owner: str) -> str | None:
    import ast

    if not isinstance(tree, ast.Subscript):
        return None
    key = tree.slice.value if isinstance(tree.slice, ast.Constant) else None
    if owner == "NoneType":
        return _about_null(tree.value, str(key) if key is not None else None)
    what = f"`{key}`" if isinstance(key, str) else "elements"
    return f"{_quote(tree.value)} is {_kind(owner)}, so it has no {what}"


def _list_key(tree: ast.expr, owner: str) -> str | None:
    return _subscript(tree, {"string": "str"}.get(owner, owner))


def _iteration(tree: ast.expr, owner: str) -> str:
    import ast

    if isinstance(tree, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        tree = tree.generators[0].iter
    elif isinstance(tree, ast.Compare):
        tree = tree.comparators[0]
    return f"{_quote(tree)} needs a list, not {_kind(owner)}"


def _method_null(tree: ast.expr, owner: str) -> str:
    return f"{_quote(tree)} is not a function but {_kind(owner)}"


_TYPE_ERRORS: tuple[tuple[str, Callable[..., str | None]], ...] = (
    (r"'(.+)' not supported between instances of '(\w+)' and '(\w+)'", _comparison),
    (r"unsupported operand type\(s\) for (.+): '(\w+)' and '(\w+)'", _operands),
    (r"can only concatenate (\w+) \(not \"(\w+)\"\) to", _joining),
    (r"'(\w+)' object is not subscriptable", _subscript),
    (r"(list|tuple|string) indices must be integers", _list_key),
    (r"argument of type '(\w+)' is not iterable", _iteration),
    (r"'(\w+)' object is not iterable", _iteration),
    (r"'(\w+)' object is not callable", _method_null),
)

_EXPLAINERS: tuple[tuple[type[BaseException], Callable[[Any, ast.expr], str | None]], ...] = (
    (KeyError, _missing_key),
    (IndexError, _missing_element),
    (AttributeError, _missing_attribute),
    (ZeroDivisionError, _division),
    (TypeError, _wrong_type),
)
