"""What tests are made of: tiny cases, plans made by hand, random cases, exports, histories, workbooks.

A test imports from here and from `tests.oracle`, never from another test. `from tests import builders` gives the tiny
cases of `tests.builders.tiny_cases`, which nearly every test starts from.
"""

from tests.builders.tiny_cases import (
    Tables,
    case,
    profile,
    settings,
    tables,
    two_models_on_sizes,
    two_regions,
    write_folder,
    write_workbook,
)

__all__ = [
    "Tables",
    "case",
    "profile",
    "settings",
    "tables",
    "two_models_on_sizes",
    "two_regions",
    "write_folder",
    "write_workbook",
]
