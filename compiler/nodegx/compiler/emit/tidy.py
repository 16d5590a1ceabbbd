"""Shorter code for questions about whole values: `if charge` in the place of
`if charge and charge._asdict()`."""

from __future__ import annotations

import ast
from typing import Any

from .bindings import PRESENT


def tidy(code: ast.expr, *, test: bool = False) -> ast.expr:
    """The expression with such questions asked of the variable itself.

    Args:
        code: any expression.
        test: whether only its truth matters.
    """
    return _Tidy().look(code, test=test)


class _Tidy(ast.NodeTransformer):
    """A whole value of named parts is never empty: it is true whenever it is there."""

    def look(self, code: ast.expr, *, test: bool) -> ast.expr:
        if test and (read := getattr(code, PRESENT, None)) is not None:
            return read
        if test and isinstance(code, ast.BoolOp):
            code.values = [self.look(value, test=True) for value in code.values]
            return code
        return self.visit(code)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        node.test = self.look(node.test, test=True)
        node.body = self.visit(node.body)
        node.orelse = self.visit(node.orelse)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        node.operand = self.look(node.operand, test=isinstance(node.op, ast.Not))
        return node

    def visit_Compare(self, node: ast.Compare) -> Any:
        with_null = len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot)
        if with_null and (read := getattr(node.left, PRESENT, None)) is not None:
            node.left = read
            return node
        return self.generic_visit(node)
