"""Functions of the standard library, bent until their lines are too long."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

MODULES = (
    *("argparse", "ast", "asyncio/base_events", "asyncio/streams", "calendar", "cgi", "codecs"),
    *("configparser", "contextlib", "csv", "datetime", "difflib", "doctest", "fractions"),
    *("ftplib", "gettext", "http/client", "http/cookiejar", "imaplib", "inspect", "ipaddress"),
    *("json/decoder", "locale", "logging/__init__", "mailbox", "mimetypes", "pathlib", "pdb"),
    *("pickle", "platform", "plistlib", "pprint", "shutil", "smtplib", "statistics", "subprocess"),
    *("tarfile", "textwrap", "threading", "traceback", "turtle", "typing", "unittest/case"),
    *("unittest/mock", "urllib/parse", "urllib/request", "xml/dom/minidom", "zipfile"),
)
_SUPPORTED = (
    *(ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Assign, ast.Expr, ast.Return, ast.Raise),
    *(ast.Pass, ast.Break, ast.Continue, ast.AugAssign, ast.FunctionDef, ast.Nonlocal),
)
_UNSUPPORTED = (
    *(ast.Starred, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Lambda, ast.JoinedStr, ast.Global),
    ast.Delete,
)


class _Stretch(ast.NodeTransformer):
    """Longer names, simpler strings."""

    def __init__(self, chance: random.Random, most: int) -> None:
        self._chance = chance
        self._most = most

    def _longer(self, name: str) -> str:
        if self._chance.random() > 0.4 or not self._most:
            return name
        return f"{name}_{'x' * self._chance.randrange(self._most)}"

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._longer(node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.Attribute(self.visit(node.value), self._longer(node.attr), node.ctx)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        return ast.Constant("".join(char for char in node.value[:70] if char.isalnum()))


def _is_supported(function: ast.FunctionDef) -> bool:
    arguments = function.args
    if arguments.vararg or arguments.kwarg or ast.get_docstring(function):
        return False
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and not isinstance(node, _SUPPORTED):
            return False
        if isinstance(node, _UNSUPPORTED) or (node is not function and _is_awkward(node)):
            return False
    return True


def _is_awkward(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef():
            return True
        case ast.Constant(value):
            return isinstance(value, bytes | complex)
        case ast.Assign(targets):
            parts = targets[0].elts if isinstance(targets[0], ast.Tuple) else targets
            return len(targets) > 1 or not all(isinstance(part, ast.Name) for part in parts)
        case ast.AugAssign(target) | ast.For(target):
            return not isinstance(target, ast.Name)
        case ast.With(items):
            return len(items) > 1
        case ast.Call(_, _, keywords):
            return any(keyword.arg is None for keyword in keywords)
        case ast.Subscript(_, ast.Tuple(elts)):
            return any(isinstance(element, ast.Slice) for element in elts)
        case _:
            return False


def _functions() -> Iterator[ast.FunctionDef]:
    for module in MODULES:
        path = Path(sysconfig.get_path("stdlib"), f"{module}.py")
        if not path.exists():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                node.decorator_list = []
                if ast.get_docstring(node) is not None and len(node.body) > 1:
                    node.body = node.body[1:]
                if _is_supported(node):
                    yield node


def module(seed: int, size: int, most: int) -> ast.Module:
    """A module of `size` functions whose names grew by up to `most` characters."""
    chance = random.Random(seed)
    functions = list(_functions())
    chance.shuffle(functions)
    stretch = _Stretch(chance, most)
    body: list[ast.stmt] = [stretch.visit(function) for function in functions[:size]]
    return ast.fix_missing_locations(ast.Module(body, []))
