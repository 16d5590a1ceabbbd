"""What the names in an expression stand for.

A name is bound to a tree of `Binding`s. The tree says which steps of `charge.body.items` are known
ports, compiled to attributes, and where JSON begins, compiled to subscripts.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nodegx.runtime.catalog.types import Type

from .errors import ExpressionError
from .grammar import Places
from .syntax import Expression, Template

ROOTS: Mapping[str, str] = {
    "vars": "variables of the project",
    "env": "environment variables the project allows",
    "secrets": "secrets, by literal name only",
    "execution": "id, workflow, started and attempt of this run",
    "nodes": 'any node by its id: nodes["any id"]',
    "item": "the element of the innermost loop",
    "index": "its position, from 0",
}
"""Names with a meaning of their own, with what to tell people about them. A node cannot have one
of them as its name in expressions."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A free name and the constant keys read from it: `order.body["a"][0]` is
    `Reference("order", ("body", "a", 0), …)`.

    `offset` is where it starts in the template's text; `offsets` where each step of `path` does.
    """

    root: str
    path: Path
    offset: int
    offsets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """The code for the first `consumed` steps of a reference's path."""

    code: ast.expr
    consumed: int = 0
    type: Type = Type.ANY


class Resolver(Protocol):
    """Gives names their meaning."""

    def resolve(self, reference: Reference) -> Resolved:
        """The code behind a reference.

        Raises:
            ExpressionError: the name, or a port in its path, does not exist.
        """
        ...

    def resume_url(self, node: str, offset: int) -> ast.expr:
        """The code of the URL that ends a wait.

        Args:
            node: id of the wait's node.
            offset: where the id stands in the template's text.

        Raises:
            ExpressionError: there is no such wait.
        """
        ...


def path_of(node: ast.expr, at: Places) -> Reference | None:
    """The reference that `node` is as a whole, or None if it is anything else."""
    steps: list[tuple[str | int, int]] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            steps.append((node.attr, at.member(node)))
        elif isinstance(node, ast.Subscript) and (key := _constant_key(node.slice)) is not None:
            steps.append((key, at(node.slice)))
        else:
            return None
        node = node.value
    steps.reverse()
    return Reference(node.id, tuple(key for key, _ in steps), at(node), tuple(o for _, o in steps))


def _constant_key(node: ast.expr) -> str | int | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return None
    if isinstance(node.value, int):
        return sign * node.value
    return node.value if isinstance(node.value, str) and sign == 1 else None


def references(source: Expression | Template) -> list[Reference]:
    """Every free name that an expression or template reads, in the order of the text.

    Variables of comprehensions are not free, names of functions are not read.
    """
    found: list[Reference] = []
    for part in source.parts if isinstance(source, Template) else (source,):
        if isinstance(part, Expression):
            _Collector(Places(part.source, part.offset), found).visit(part.tree)
    return sorted(found, key=lambda reference: reference.offset)


class _Collector(ast.NodeVisitor):
    def __init__(self, at: Places, found: list[Reference]) -> None:
        self._at = at
        self._found = found
        self._local: list[frozenset[str]] = []

    def _reference(self, node: ast.expr) -> bool:
        reference = path_of(node, self._at)
        if reference is None:
            return False
        if not any(reference.root in names for names in self._local):
            self._found.append(reference)
        return True

    def visit_Name(self, node: ast.Name) -> None:
        self._reference(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._reference(node):
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not self._reference(node):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            self.visit(node.func.value)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)

    def _comprehension(self, node: Any) -> None:
        opened = 0
        for loop in node.generators:
            self.visit(loop.iter)
            self._local.append(targets(loop.target))
            opened += 1
            for condition in loop.ifs:
                self.visit(condition)
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                self.visit(getattr(node, part))
        del self._local[len(self._local) - opened :]

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def targets(node: ast.expr) -> frozenset[str]:
    """The names that a `for` gives values to."""
    return frozenset(name.id for name in ast.walk(node) if isinstance(name, ast.Name))


def suggest(name: str, known: Iterable[str], intro: str = "did you mean") -> str:
    """`did you mean a?`, or empty if nothing is close."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"{intro} `{close[0]}`?" if close else ""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name, or one step below it, stands for.

    Args:
        code: its value in the handler; None if it cannot be used as a value by itself.
        type: the type of that value.
        members: steps below it that are compiled on their own.
        open: whether steps that are not in `members` read JSON keys from `code`.
        noun: what messages call a member (`port`).
    """

    code: ast.expr | None = None
    type: Type = Type.ANY
    members: Mapping[str, Binding] | None = None
    open: bool = False
    noun: str = "key"


def value(code: ast.expr, type: Type = Type.ANY) -> Binding:
    """A binding to plain JSON."""
    return Binding(code, type, open=True)


def follow(binding: Binding, reference: Reference, skip: int = 0) -> Resolved:
    """Walks `reference.path` from its step `skip` on, as far as the binding knows it.

    Raises:
        ExpressionError: an unknown member, or a binding that is no value by itself.
    """
    name = _spelled(reference.root, reference.path[:skip])
    consumed = skip
    for step in reference.path[skip:]:
        member = (binding.members or {}).get(step) if isinstance(step, str) else None
        if member is None:
            if binding.open:
                break
            raise _unknown_member(name, binding, step, reference.offsets[consumed])
        binding = member
        name = _spelled(name, (step,))
        consumed += 1
    if binding.code is None:
        known = ", ".join(f"{name}.{key}" for key in binding.members or {})
        hint = f"read one of: {known}" if known else f"read one by name, as in {name}.NAME"
        raise ExpressionError(f"`{name}` is not a value by itself", reference.offset, hint)
    return Resolved(binding.code, consumed, binding.type)


def _spelled(root: str, path: Path) -> str:
    for step in path:
        root += f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]"
    return root


def _unknown_member(name: str, binding: Binding, step: str | int, at: int) -> ExpressionError:
    members = binding.members or {}
    close = suggest(str(step), members)
    listed = f"it has: {', '.join(members)}" if members else f"it has no {binding.noun}s"
    return ExpressionError(
        f"`{name}` has no {binding.noun} {step!r}", at, f"{close} {listed}".strip()
    )


class Names:
    """The resolver of handlers: the fixed roots, and whatever `lookup` knows.

    Args:
        lookup: the binding of a node's or loop variable's name, None if there is none.
        nodes: the binding of a node by its id, for `nodes["id"]`.
        available: names to list when one is unknown.
        vars: the project's variables; their types are known then and unknown ones are errors.
            None leaves both open.
        env: the environment variables that may be read; None leaves them open.
    """

    def __init__(
        self,
        lookup: Callable[[str], Binding | None],
        *,
        nodes: Callable[[str], Binding | None] = lambda _: None,
        available: Callable[[], Iterable[str]] = lambda: (),
        vars: Mapping[str, Any] | None = None,
        env: Collection[str] | None = None,
    ) -> None:
        self._lookup = lookup
        self._nodes = nodes
        self._available = available
        self._fixed = {
            "vars": _variables(vars),
            "env": _strings("env", env),
            "secrets": _strings("secrets", None),
            "execution": _EXECUTION,
        }

    def resolve(self, reference: Reference) -> Resolved:
        """See `Resolver.resolve`."""
        if reference.root == "nodes":
            return self._node(reference)
        if reference.root in {"env", "secrets"}:
            return self._by_name(reference)
        binding = self._fixed.get(reference.root) or self._lookup(reference.root)
        if binding is None:
            known = sorted(self._available())
            close = suggest(reference.root, (*known, *ROOTS))
            hint = close or (f"available: {', '.join(known)}" if known else "")
            raise ExpressionError(f"unknown name `{reference.root}`", reference.offset, hint)
        return follow(binding, reference)

    def resume_url(self, node: str, offset: int) -> ast.expr:
        """See `Resolver.resume_url`."""
        raise ExpressionError(
            f"there is no wait {node!r} here", offset, "ask for its URL in a step"
        )

    def _node(self, reference: Reference) -> Resolved:
        key = reference.path[0] if reference.path else None
        if not isinstance(key, str):
            raise ExpressionError(
                "`nodes` needs the id of a node", reference.offset, 'write nodes["the id"]'
            )
        binding = self._nodes(key)
        if binding is None:
            raise ExpressionError(
                f"there is no node with the id {key!r}", reference.offsets[0], "check the id"
            )
        return follow(binding, reference, 1)

    def _by_name(self, reference: Reference) -> Resolved:
        root = reference.root
        key = reference.path[0] if reference.path else None
        if not isinstance(key, str):
            raise ExpressionError(
                f"`{root}` must be read by a literal name", reference.offset, f"write {root}.NAME"
            )
        binding = self._fixed[root]
        if not binding.open:
            return follow(binding, reference)
        return Resolved(_subscript(_run(root), key), 1, Type.STRING)


def _run(attribute: str) -> ast.expr:
    return ast.Attribute(ast.Name("run", ast.Load()), attribute, ast.Load())


def _subscript(code: ast.expr, key: str) -> ast.expr:
    return ast.Subscript(code, ast.Constant(key), ast.Load())


def type_of(json: Any) -> Type:
    """The type of a JSON value."""
    return _JSON_TYPES.get(json.__class__, Type.ANY)


_JSON_TYPES: dict[Any, Type] = {
    str: Type.STRING,
    bool: Type.BOOLEAN,
    int: Type.INTEGER,
    float: Type.NUMBER,
    list: Type.ARRAY,
    tuple: Type.ARRAY,
    dict: Type.OBJECT,
}


def _variables(known: Mapping[str, Any] | None) -> Binding:
    if known is None:
        return Binding(_run("vars"), Type.OBJECT, open=True)
    members = {
        name: value(_subscript(_run("vars"), name), type_of(known[name])) for name in sorted(known)
    }
    return Binding(_run("vars"), Type.OBJECT, members, noun="variable")


def _strings(root: str, known: Collection[str] | None) -> Binding:
    if known is None:
        return Binding(open=True)
    members = {name: value(_subscript(_run(root), name), Type.STRING) for name in sorted(known)}
    return Binding(None, Type.OBJECT, members, noun="variable")


_EXECUTION = Binding(
    members={
        name: value(ast.Attribute(_run("execution"), name, ast.Load()), type)
        for name, type in (
            ("id", Type.STRING),
            ("workflow", Type.STRING),
            ("started", Type.STRING),
            ("attempt", Type.INTEGER),
        )
    },
    noun="field",
)
