"""Text from outside, made safe to show: no secret of a database's address, nothing that a terminal obeys."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

HIDDEN = "***"
_LONG = "password|passwd|passphrase|secret|token|api[_-]?key|access_?key|account_?key|private_?key|credentials?|cookie"
_SHORT = "passcode|pass|pwd|pw|auth|sharedaccesskey|signature|sig"  # words of sentences too: only before "="
# the user part of an address: all up to the last @ before a space
_ADDRESS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.:-]*://)(?P<who>\S*)@", re.IGNORECASE)
_BARE = re.compile(  # without a scheme: u:password@host:5432, and Oracle's u/password@host
    r"(?<![\w/@:.-])(?:jdbc:oracle:thin:[^\s@/]+/|[\w.%+-]+:)(?!//)[^\s@/'\"]+@(?=[\w.-]+[:/])", re.IGNORECASE
)
_QUERY = re.compile(r"(?P<key>[?&](?:key|code)=)[^\s&#'\"]+", re.IGNORECASE)
_OPTION = re.compile(
    rf"(?P<key>(?<![a-z0-9])[\"']?(?:[a-z0-9]+[_.-])*(?:[a-z0-9]*(?:{_LONG})[\"']?"
    rf"(?:\s*(?:=>?|:(?=\s*\S)(?!/))|(?<=--password)\s)|(?:{_SHORT})[\"']?\s*=)\s*)"
    r"(?P<value>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|\{[^}]*\}|[^\s;&,)\]}'\"]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<key>\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~%-]{8,}", re.IGNORECASE)


def redacted(text: str) -> str:
    """Hide passwords, tokens and users of addresses: ``postgresql://***@host/db?password=***``.

    The user goes too: some databases take a token there.
    """
    text = _BARE.sub(f"{HIDDEN}@", text)
    text = _QUERY.sub(lambda found: f"{found['key']}{HIDDEN}", text)
    text = _ADDRESS.sub(lambda found: f"{found['scheme']}{HIDDEN}@", text)
    text = _OPTION.sub(lambda found: f"{found['key']}{HIDDEN}", text)
    return _BEARER.sub(lambda found: f"{found['key']}{HIDDEN}", text)


def printable(text: str) -> str:
    r"""Show what a terminal would obey, and marks that turn the direction of text, as escapes such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


class ShownStream:
    """A stream that shows what is printed as ``printable`` does; rich, whose cells are safe, writes to ``below``."""

    def __init__(self, below: IO[str]) -> None:
        self.below = below

    def write(self, text: str) -> int:
        """Write the text, tabs as they are."""
        self.below.write("\t".join(map(printable, text.split("\t"))))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Leave all else to the stream below."""
        return getattr(self.below, name)


def below(stream: Any) -> IO[str]:
    """Return the stream that a ``ShownStream`` writes to; any other stream is itself."""
    return stream.below if isinstance(stream, ShownStream) else stream


@contextmanager
def shown_streams() -> Iterator[None]:
    """Let all that is printed be shown as ``printable`` does."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("Any", ShownStream(below(stream))) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


def without_formulas(table: Any) -> Any:
    """Return a frame for a CSV file in which no cell begins as a formula does: a quotation mark goes before it.

    A spreadsheet would calculate it, and names come from outside. Numbers are left alone.
    """
    texts = table.select_dtypes(include=["object", "string", "category"])
    return table.assign(**{name: texts[name].map(_no_formula, na_action="ignore") for name in texts})


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _shown(character: str) -> str:
    if character in "\n\ufffe\uffff":
        return character if character == "\n" else f"\\u{ord(character):04x}"
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    return character.encode("unicode_escape").decode("ascii")
