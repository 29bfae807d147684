"""Long lines broken between words where a person reads them on a terminal; one line each in a pipe, for grep."""

import shutil
import textwrap
from typing import TextIO

NARROWEST = 40  # columns: a narrower terminal breaks lines itself


def wrapped(text: str, stream: TextIO) -> str:
    """Return a text as it is in a pipe, or broken to the terminal's width, what follows indented by two more."""
    if not stream.isatty():
        return text
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return textwrap.fill(
        text.strip(), width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
