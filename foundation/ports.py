"""Ports: what an app lends to one that may not import it, named by a setting as a dotted path.

`named(path)` is what the path names; `misfit(found, port)` says why it cannot stand for a Protocol, which a system
check asks at every start, so that a wrong setting is found then, and not by the first run that needs it.
"""

from __future__ import annotations

from functools import cache
from inspect import Parameter, isfunction, signature
from typing import Any

from django.utils.module_loading import import_string

ORDINARY = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@cache
def named(path: str) -> Any:
    """What the dotted path names, imported once.

    Raises:
        ImportError: there is no such module or attribute.
    """
    return import_string(path)


def misfit(found: object, port: type) -> str:
    """Why `found` cannot stand for the Protocol `port`, by its functions and how they are called; '' if it can."""
    for name, wanted in vars(port).items():
        if not isfunction(wanted) or (name.startswith("_") and name != "__call__"):
            continue
        has = found if name == "__call__" else getattr(found, name, None)
        if not callable(has):
            return f"it has no function '{name}'" if name != "__call__" else "it cannot be called"
        takes = [one.name for one in list(signature(wanted).parameters.values())[1:] if one.kind in ORDINARY]
        try:
            signature(has).bind(*takes)
        except ValueError:  # of a function written in C: it has no signature that could be asked
            continue
        except TypeError as error:
            return f"{'' if name == '__call__' else name}({', '.join(takes)}) cannot be called: {error}"
    return ""
