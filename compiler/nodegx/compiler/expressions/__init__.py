"""The expression language: a checked subset of Python, compiled ahead of time."""

from .compile import GENERATED_NAMES, compile_expression, compile_template, infer, problems
from .errors import ExpressionError
from .names import ROOTS, Binding, Names, Reference, Resolved, Resolver, references, value
from .syntax import Expression, Template
from .template import parse_expression, parse_template

__all__ = [
    "GENERATED_NAMES",
    "ROOTS",
    "Binding",
    "Expression",
    "ExpressionError",
    "Names",
    "Reference",
    "Resolved",
    "Resolver",
    "Template",
    "compile_expression",
    "compile_template",
    "infer",
    "parse_expression",
    "parse_template",
    "problems",
    "references",
    "value",
]
