"""The families of constraints, one rule a file (docs/model.md, "The rules").

A file here declares its families; they are found, not listed: none can be forgotten.
"""

import pkgutil
from importlib import import_module

from planner.model.family import Family


def declared() -> tuple[Family, ...]:
    """Every family of every file, in reading order: by the number of its rule, then as the file has them."""
    found = [
        value
        for module in sorted(each.name for each in pkgutil.iter_modules(__path__))
        for value in vars(import_module(f"{__name__}.{module}")).values()
        if isinstance(value, Family)
    ]
    return tuple(sorted(found, key=lambda family: (not family.rule.isdecimal(), family.rule.zfill(3))))
