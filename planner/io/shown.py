"""Text from outside, made safe to show: no secret of a database's address, nothing that a terminal obeys."""

import re
import unicodedata

HIDDEN = "***"
_LONG = "password|passwd|passphrase|secret|token|api_key|apikey|access_key|account_?key|private_key|credentials?"
_SHORT = "passcode|pass|pwd|pw|auth|sharedaccesskey|signature|sig"  # words of sentences too: only before "="
# the user part of an address: all up to the last @ before a space, a quote or the path of another address
_ADDRESS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.:-]*://)(?P<who>[^\s'\"<>]*)@", re.IGNORECASE)
_OPTION = re.compile(
    rf"(?P<key>(?<![a-z0-9])[\"']?(?:[a-z0-9]+[_.-])*(?:(?:ssl)?(?:{_LONG})[\"']?\s*(?:=|:(?=\s*\S)(?!/))|"
    rf"(?:{_SHORT})[\"']?\s*=)\s*)"
    r"(?P<value>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|\{[^}]*\}|[^\s;&,)\]}'\"]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<key>\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~%-]{8,}", re.IGNORECASE)


def redacted(text: str) -> str:
    """Hide passwords, tokens and users of addresses: ``postgresql://***@host/db?password=***``.

    The user goes too: some databases take a token there.
    """
    text = _ADDRESS.sub(lambda found: f"{found['scheme']}{HIDDEN}@", text)
    text = _OPTION.sub(lambda found: f"{found['key']}{HIDDEN}", text)
    return _BEARER.sub(lambda found: f"{found['key']}{HIDDEN}", text)


def printable(text: str) -> str:
    r"""Show what a terminal would obey, and marks that turn the direction of text, as escapes such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    return character.encode("unicode_escape").decode("ascii")
