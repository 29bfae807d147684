"""Pages of docs that tests run: the commands of a console block, each with the lines that the page shows of it."""

import re


def commands_of(console: str) -> list[tuple[str, list[str]]]:
    """Split the text of a console block at its `$ `: command, lines shown."""
    parts = re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]
    split = [part.rstrip("\n").split("\n") for part in parts]
    return [(command, shown) for command, *shown in split]
