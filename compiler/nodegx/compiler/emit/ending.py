"""How blocks end: `return` in the place of `else`, and what can be said in fewer words."""

from __future__ import annotations

import ast

from nodegx.compiler.tree import (
    Attempt,
    Block,
    Branch,
    Call,
    Leave,
    Parallel,
    Started,
    Switch,
    Try,
)

from .syntax import keep_tags, negated

Body = list[ast.stmt]


def ends(body: Body) -> bool:
    """Whether what follows a block is never reached, as far as its form tells."""
    if not body:
        return False
    last = body[-1]
    match last:
        case ast.Return() | ast.Raise():
            return True
        case ast.If():
            return ends(last.body) and ends(last.orelse)
        case ast.Try():
            caught = all(ends(handler.body) for handler in last.handlers)
            tried = ends(last.body) or ends(last.orelse)
            return ends(last.finalbody) or (caught and tried)
        case ast.Match():
            whole = isinstance(last.cases[-1].pattern, ast.MatchAs)
            return whole and all(ends(case.body) for case in last.cases)
        case _:
            return False


def choice(test: ast.expr, then: Body, otherwise: Body) -> Body:
    """An `if` with its `else`; no `else` after a block that ends anyway."""
    if not then and not otherwise:
        return [ast.Expr(test)]
    if not then:
        return [ast.If(negated(test), otherwise, [])]
    if not otherwise:
        return [ast.If(test, then, [])]
    if ends(otherwise) and not (ends(then) and len(then) <= len(otherwise)):
        return [ast.If(negated(test), otherwise, []), *then]
    if ends(then):
        return [ast.If(test, then, []), *otherwise]
    return [ast.If(test, then, otherwise)]


def shortened(body: Body) -> Body:
    """The body of a function without what its end says twice: `return x` for `if not x: return
    False` before `return True`."""
    match body:
        case [
            *before,
            ast.If(
                test=ast.UnaryOp(op=ast.Not(), operand=condition),
                body=[ast.Return(value=ast.Constant(value=False))],
                orelse=[],
            ) as last,
            ast.Return(value=ast.Constant(value=True)),
        ]:
            answer = keep_tags(ast.Return(condition), last)
            return [*before, answer]
        case _:
            return body


def leaves(block: Block) -> bool:
    """Whether a block leaves its function anywhere."""
    for statement in block:
        match statement:
            case Leave():
                return True
            case Branch(then=one, otherwise=other) | Attempt(failure=one, done=other):
                inner = [one, other]
            case Switch(cases=cases, default=default):
                inner = [*(case.body for case in cases), default]
            case Started(arms=arms):
                inner = [body for _, body in arms]
            case Parallel(arrived=one, short=other) | Call(arrived=one, short=other):
                inner = [one, other or ()]
            case Try(body=body, catch=catch, last=last):
                inner = [body, catch or (), last or ()]
            case _:
                continue
        if any(leaves(each) for each in inner):
            return True
    return False
