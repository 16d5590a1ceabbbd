"""From structured control flow to a Python module: the code a person would have written by hand.

`statements` writes the functions, `values` and `reading` the parameters of nodes, `usercode` keeps
what users wrote in Python, `variables` settles what is assigned where, `module` puts it together.
"""

from .module import Module, emit

__all__ = ["Module", "emit"]
