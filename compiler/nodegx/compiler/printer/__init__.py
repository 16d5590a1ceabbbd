"""Prints a Python syntax tree as a person would have formatted it, with line numbers by node."""

from .statements import Printed, Verbatim, print_module

__all__ = ["Printed", "Verbatim", "print_module"]
