"""Variables of a handler, settled once all of its code is there: what nobody reads is not assigned,
what may be missing starts as None, and functions share what their surroundings read.

Every variable of a node is assigned in exactly one statement.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .bindings import MAYBE, VARIABLE
from .syntax import keep_tags

ASSIGNS = "nodegx_assigns"
"""Attribute of an assignment to a node's variable: it goes if nobody reads it. The value says
whether the right side has to be computed all the same."""
REPEATED = "nodegx_repeated"
"""Attribute of a function that may be called again after it failed half-way."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef
Path = tuple[tuple[int, int], ...]
"""The way to a statement: for every block around it, outermost first, the block's identity and the
number of the statement that leads on (or is it)."""


def settle(handler: Definition) -> None:
    """Settles the variables of a handler, in place."""
    found = _Survey(handler)
    for name in found.uses:
        _settle(name, found)
    found.rewrite()


@dataclass(slots=True)
class _Use:
    """Where a variable is read or assigned; `statement` is the assignment."""

    scope: int
    path: Path
    maybe: bool = False
    statement: ast.Assign | None = None


@dataclass(slots=True)
class _Scope:
    """A function; `parent` is the one around it."""

    definition: Definition
    parent: int
    depth: int
    shared: list[str] = field(default_factory=list[str])
    reset: list[str] = field(default_factory=list[str])


class _Survey:
    """All uses of all variables, and what is to be changed about them."""

    def __init__(self, handler: Definition) -> None:
        self.uses: dict[str, list[_Use]] = defaultdict(list)
        self.scopes = [_Scope(handler, -1, 0)]
        self.starts: dict[int, list[str]] = defaultdict(list)
        """Variables to be set to None in front of a statement, by its number."""
        self.firsts: dict[int, list[str]] = {}
        """The same, by the identity of the statement they really stand in front of."""
        self.unread: set[int] = set()
        """Identities of assignments that nobody needs."""
        self._numbers: dict[int, int] = {}
        self._blocks: list[list[ast.stmt]] = []
        self._survey_block(handler.body, 0, ())

    # --------------------------------------------------------------------------- reading

    def _survey_block(self, block: list[ast.stmt], scope: int, path: Path) -> None:
        self._blocks.append(block)
        for statement in block:
            number = self._numbers[id(statement)] = len(self._numbers)
            self._survey_statement(statement, scope, (*path, (id(block), number)))

    def _survey_statement(self, statement: ast.stmt, scope: int, path: Path) -> None:
        if isinstance(statement, Definition):
            self.scopes.append(_Scope(statement, scope, self.scopes[scope].depth + 1))
            self._survey_block(statement.body, len(self.scopes) - 1, path)
            return
        for expression in _own_expressions(statement):
            for part in ast.walk(expression):
                if isinstance(part, ast.Name) and hasattr(part, VARIABLE):
                    self.uses[part.id].append(_Use(scope, path, bool(getattr(part, MAYBE, False))))
        if isinstance(statement, ast.Assign) and hasattr(statement, ASSIGNS):
            self.uses[target_of(statement)].append(_Use(scope, path, statement=statement))
        for block in _own_blocks(statement):
            self._survey_block(block, scope, path)

    def around(self, scopes: set[int]) -> int:
        """The innermost function that holds all of these."""
        found = set(scopes)
        while len(found) > 1:
            deepest = max(found, key=lambda scope: (self.scopes[scope].depth, scope))
            found.discard(deepest)
            found.add(self.scopes[deepest].parent)
        return found.pop()

    # --------------------------------------------------------------------------- writing

    def rewrite(self) -> None:
        """Does what was found to be needed."""
        for block in self._blocks:
            self._place_starts(block)
            block[:] = list(self._rewritten(block)) or [ast.Pass()]
        for scope in self.scopes:
            body = scope.definition.body
            if scope.reset:
                body.insert(0, _none(*scope.reset))
            if scope.shared:
                body[:0] = [ast.Nonlocal(sorted(scope.shared))]

    def _place_starts(self, block: list[ast.stmt]) -> None:
        """Finds the statements that first assignments stand in front of: those of functions that
        follow one another stand in front of all of them."""
        anchor: ast.stmt | None = None
        for statement in block:
            if not (anchor and isinstance(anchor, Definition)):
                anchor = statement
            names = self.starts.get(self._numbers[id(statement)])
            if names:
                self.firsts.setdefault(id(anchor), []).extend(names)
            if not isinstance(statement, Definition):
                anchor = None

    def _rewritten(self, block: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in block:
            if id(statement) in self.firsts:
                yield _none(*self.firsts[id(statement)])
            if id(statement) not in self.unread:
                yield statement
            elif getattr(statement, ASSIGNS):
                assert isinstance(statement, ast.Assign)
                yield keep_tags(ast.Expr(statement.value), statement)


def target_of(statement: ast.Assign) -> str:
    """The variable that a simple assignment sets."""
    (target,) = statement.targets
    assert isinstance(target, ast.Name)
    return target.id


def _own_expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without those of statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield child


def _own_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks right inside a statement that hold anything, in the order of the text."""
    blocks: list[list[ast.stmt]] = []
    match statement:
        case ast.If():
            blocks = [statement.body, statement.orelse]
        case ast.Try():
            handlers = [handler.body for handler in statement.handlers]
            blocks = [statement.body, *handlers, statement.orelse, statement.finalbody]
        case ast.Match():
            blocks = [case.body for case in statement.cases]
        case _:
            pass
    yield from (block for block in blocks if block)


def _none(*names: str) -> ast.stmt:
    """`a = b = None`."""
    targets: list[ast.expr] = [ast.Name(name, ast.Store()) for name in names]
    return ast.Assign(targets, ast.Constant(None), lineno=0)


# ------------------------------------------------------------------------------ settling one


def _settle(name: str, found: _Survey) -> None:
    uses = found.uses[name]
    assigned = [use for use in uses if use.statement is not None]
    if len(assigned) == len(uses):
        found.unread.update(id(use.statement) for use in assigned)
        return
    maybe = any(use.maybe for use in uses)
    home = found.around({use.scope for use in uses})
    elsewhere = False
    for use in assigned:
        if use.scope != home:
            _share(name, use.scope, home, found, maybe=maybe)
            elsewhere = True
    if maybe or elsewhere:
        found.starts[_first_place([use.path for use in uses])].append(name)


def _share(name: str, scope: int, home: int, found: _Survey, *, maybe: bool) -> None:
    """Lets a function assign a variable of one around it."""
    found.scopes[scope].shared.append(name)
    while scope != home:
        around = found.scopes[scope]
        if maybe and getattr(around.definition, REPEATED, False):
            if name not in around.shared:
                around.shared.append(name)
            around.reset.append(name)
        scope = around.parent


def _first_place(paths: list[Path]) -> int:
    """The number of the first statement with a use in the innermost block that holds them all."""
    first = paths[0]
    depth = 0
    while all(
        len(path) > depth + 1
        and path[depth] == first[depth]
        and path[depth + 1][0] == first[depth + 1][0]
        for path in paths
    ):
        depth += 1
    return min(path[depth][1] for path in paths)
