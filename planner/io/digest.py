"""Digests of what was written, and the version of the form it was written in.

A digest is of bytes on the disk or of a text as it stands there, never of today's classes: what was written is read for
years, by programmes that know more fields than the one that wrote it. A text that states its own digest is *sealed*:
the digest is of the text without its last key, ``sha256``.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FORMAT = 2  # of plan.json and its tables, the copy of the input, and the ledger; 1: planner 0.1.0, which did not say so
_SEAL = re.compile(r',(\s*)"sha256": "([0-9a-f]{64})"(\s*\})(\n?)\Z')


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return sha256_of_bytes(text.encode())


def sealed(text: str) -> str:
    """Return the text of a JSON object with its digest as the last key, ``sha256``."""
    body, close = text.rstrip("\n").rsplit("}", 1)[0].rstrip(), text[len(text.rstrip("\n")) :]
    indent = "\n  " if body.startswith("{\n") else " "
    end = "\n}" if body.startswith("{\n") else "}"
    return f'{body},{indent}"sha256": "{sha256_of_text(body + end)}"{end}{close}'


def seal_of(text: str) -> tuple[str, str] | None:
    """Return the digest that a sealed text states and the digest that it has; None: it states none."""
    found = _SEAL.search(text)
    if found is None:
        return None
    end = "\n}" if "\n" in found[3] else "}"
    return found[2], sha256_of_text(text[: found.start()] + end)


def read_json(text: str) -> Any:
    """Read JSON as strictly as it is written: no key twice in one object, no NaN, no infinity.

    Raises
    ------
    ValueError : it is no such JSON, or nested too deep to be ours.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} appears twice in one object")
        found[key] = value
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")
