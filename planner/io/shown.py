"""Text from outside, made safe to show: no secret of a database's address, nothing that a terminal obeys."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast
from urllib.parse import unquote_plus

HIDDEN = "***"
_LONG = (
    "password|passwd|passwort|kennwort|contrase(?:n|ñ)a|mot[ _-]?de[ _-]?passe|senha|passphrase|passcode|pwd"
    "|secret(?:[ ._-]?access)?(?:[ ._-]?key)?|token|api[ _-]?key|access[ ._]?key|(?:subscription|pvt)[ _-]?key"
    "|account[._-]?key(?:[._-][a-z0-9.-]{1,80})?|private_?key|credentials?(?:_[a-z0-9]{1,20}){0,3}|cookie"
)
_SHORT = (  # words of sentences too: only before "="
    "pass|pswd?|pw|pat|otp|auth|bearer|sharedaccess(?:key|signature)|signature|sig|sas|hmac|jwt|j?session(?:_?id)?|assertion|[a-z0-9]{1,30}_key"
)
# the user part of an address: all up to the last @ before a space, or in the line where a password has spaces
_ADDRESS = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+._:-]{0,40}(?:[:：]/{2,4}|(?<=[a-z0-9]{2}):/))(?P<user>\S{0,4000}|[^\s/@:\[]{0,200}:(?!\d+(?:[/\s?,;]|$))[^\n]{0,4000}"
    r"|[^\s/@:\[.]{1,200} [^\n@:/]{0,4000}(?=@[\w.-]{1,200}[/:]))@"
    r"(?P<rest>[^\s'\"]*)",
    re.IGNORECASE,
)
_NO_PORT = re.compile(  # an address without @: what stands where a port does is a password then
    rf"(?P<scheme>\b[a-z][a-z0-9+._-]{{0,40}}://(?!{re.escape(HIDDEN)})[^\s/@:\[]{{0,200}}:)(?!\d+\b|//)[^\s/'\"]\S*",
    re.IGNORECASE,
)
_BARE = re.compile(  # without a scheme: u:password@host, and Oracle's u/password@host
    r"(?:(?<![\w@.:-])[\w.%+-]{1,200}:(?![/\\])|(?<!\S):(?![/\\:])|\bjdbc:oracle:[a-z]{1,9}:[^\s@/]{1,200}/(?:[^\n@]{0,200}\s)?|\bsqlplus\s{1,9}[^\s@/]{1,200}/"
    r"|(?<![\w/.])\w{1,200}/(?=[^\s@]{0,200}@(?://|[\w.-]{1,200}:\d)))(?:[^\s'\"]|['\"](?=[\w@])){1,1000}@(?=[\w.(/\[-])",
    re.IGNORECASE,
)
_SPACED = re.compile(  # the same where the password has spaces: before a port, a path or an address in digits
    r"(?<![\w.:-])[a-z][\w.%+:-]{0,200}:(?![\s/\\\d])[^\n@'\"]{1,200}@(?=[\w.-]{1,200}(?::\d|/)|\d{1,3}(?:\.\d{1,3}){3}\b)",
    re.IGNORECASE,
)
_ENTRY = re.compile(  # of a .pgpass: host:port:database:user:password
    r"(?P<key>(?<!\S)(?=[\d.]*[a-z*])[\w.*-]{1,200}:(?:\d{2,5}|\*):[\w*-]{1,200}:[\w*-]{1,200}:)\S+", re.IGNORECASE
)
_PATH = re.compile(  # addresses whose path is the secret, and Spark Connect's options, which any mark may stand in
    r"(?P<key>\bhooks\.slack\.com/[a-z]{1,20}/|\bdiscord(?:app)?\.com/api/webhooks/|\bapi\.telegram\.org/bot"
    r"|\bsc://[^\s;]{0,300};)\S+",
    re.IGNORECASE,
)
_QUERY = re.compile(  # a mark that no other option follows is part of the value
    r"(?P<key>[?&](?P<name>[^\s=&?#]+)=)(?P<value>(?:[^\s&#'\"]|['\"](?=\w)|&(?=[^\s&#'\"=]+(?:['\"\s]|$)))+)"
)
# options before an @, which may be part of the last one's value
_INSIDE = re.compile(r"[?&;#](?P<name>[^=?&;#]+)=(?P<value>[^&;]*)")
_OPEN = re.compile(rf"(?:[\w.-]*key|code|p|sign|ticket|[\w.-]{{0,40}}(?:{_SHORT}))", re.IGNORECASE)
_ITEMS = re.compile(r"(?P<key>\b[a-z][a-z0-9+._-]{0,40}://[^\s?#'\"]{1,2000}\?)(?P<items>[^\s#'\"]+)", re.IGNORECASE)
_OPTION = re.compile(
    rf"(?P<key>(?:(?<![a-z0-9])|(?<=%[0-9a-f][0-9a-f]))[\"']?(?:[a-z0-9]{{1,30}}[_.-]){{0,6}}(?:[a-z0-9]{{0,30}}(?:{_LONG})[\"']?"
    rf"(?:\s*(?:=>?|%3[AD]|:(?=\s*\S)(?!/)))|(?:{_SHORT})[\"']?\s*(?:=|%3D))\s*"
    rf"|(?<![\w-])--[a-z-]{{0,30}}(?:{_LONG}|pass|pw)\s+|\bidentified\s+by\s+(?=['\"\w])|\b(?:secret|password|token)\s+(?=['\"])|(?<!\S)-p\s+"
    r"|\bwith (?:password|passphrase|token) )"
    r"(?P<value>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|\{(?:[^}]|\}\}|\}(?!\s*(?:[;&,)\]}'\"]|$)))*\}|(?:[^\s;&,)\]}'\"]|[)\]}'\"](?=\w)|[;&,](?=[^\s;&,='\"]+(?:[\s;&,]|$)))+)",
    re.IGNORECASE,
)
_SAID = re.compile(  # in a sentence: what follows is a secret, unless it is one of the words that say what is wrong
    r"(?P<key>\bpass(?:word|phrase|code) is\s+)(?!(?:not?|missing|wrong|required|empty|blank|invalid|incorrect"
    r"|expired|too|needed|in|an?|the)\b)\S+",
    re.IGNORECASE,
)
_LOOKS = re.compile(  # letters and digits after a word that announces a secret
    r"(?P<key>\b(?:password|passphrase|token|api[ _-]?key|secret|bearer|auth:|pass:|sig:)\s+)"
    r"(?=[^\s\d]*\d)(?=[^\sa-z]*[a-z])[^\s'\",;]{6,}",
    re.IGNORECASE,
)
_PARTED = re.compile(r"(?P<key>;\s*(?:[\w.-]*key|code|sign)\s*=\s*)[^\s;]+", re.IGNORECASE)  # of an address in parts
_TAG = re.compile(rf"(?P<key><(?:[\w:.-]{{0,30}}(?:{_LONG}|{_SHORT}))>)[^<]+", re.IGNORECASE)
_NAMED = re.compile(  # <add key="Password" value="..."/>
    rf"(?P<key>=\s*[\"'](?:[\w:.-]{{0,30}}(?:{_LONG}|{_SHORT}))[\"']\s+value\s*=\s*)(?:\"[^\"]*\"|'[^']*')",
    re.IGNORECASE,
)
_FLAG = re.compile(  # of curl, redis-cli, mysql and sqlcmd
    r"(?P<key>(?<![\w-])(?:-u|--user)[ =]\S{1,200}?:|\bredis-cli\b[^\n]{0,200}?\s-a\s+|\bmysql\b[^\n]{0,200}?\s-p)\S+",
    re.IGNORECASE,
)
_CODED = re.compile(r"(?P<name>[\w.-]{0,60}%[0-9a-f]{2}[\w.%-]{0,60})=(?P<value>[^\s&;'\"]+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    r"(?P<key>\bauthorization[\"']?\s*[:=]\s*)[\"']?(?:(?:bearer|basic|digest|token|api-?key)\s+)?(?:\w+=\"[^\n]*|[^\s\"',}]+[\"']?)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<key>\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~%-]{8,}", re.IGNORECASE)
_MORE_WORDS = re.compile(  # of a secret with spaces: up to the next option, a colon, a quotation mark or the end
    rf"(?<=={re.escape(HIDDEN)})(?:[ \t]+[^\s&#;:'\"=]+)+?(?=\s*(?:[&#;]|:[\s:]|['\")\]}}>]|$)|\s+[\w.-]+=)",
    re.MULTILINE,
)
_KNOWN = re.compile(  # keys that tell by their looks what they are
    r"\b(?:(?:sk|hf|npm|pypi|glpat|xox[a-z]|gh[pousr]|github_pat)[-_](?=\S{0,80}\d)[\w+/=.~%-]{8,}|dapi[0-9a-f]{12}[\w+/=.~%-]*"
    r"|A[KS]IA[0-9A-Z][\w+/=.~%-]{11,}|AIzaSy[\w+/=.~%-]{12,}|ya29\.[\w+/=.~%-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w+/=.~%-]*)"
)


def redacted(text: str) -> str:
    """Hide passwords, tokens and users of addresses: ``postgresql://***@host/db?password=***``.

    The user goes too: some databases take a token there. Rather too much is hidden than too little.
    """
    text = _ADDRESS.sub(_of_address, text)
    text = _NO_PORT.sub(lambda found: f"{found['scheme']}{HIDDEN}", text)
    text = _SPACED.sub(f"{HIDDEN}@", _BARE.sub(f"{HIDDEN}@", text))
    text = _QUERY.sub(_of_query, text)
    text = _ITEMS.sub(lambda found: found["key"] + "&".join(_of_items(found["items"].split("&"))), text)
    text = _CODED.sub(_of_query, text)
    for pattern in (_PATH, _AUTHORIZATION, _OPTION, _BEARER, _SAID, _LOOKS, _PARTED, _TAG, _NAMED, _ENTRY, _FLAG):
        text = pattern.sub(lambda found: f"{found['key']}{HIDDEN}", text)
    return _ENCODED.sub(_of_encoded, _KNOWN.sub(HIDDEN, _MORE_WORDS.sub("", text)))


def redacted_answer(said: str, address: str) -> str:
    """Hide in what a library says of an address every word that ``redacted`` hides in it: it may be in pieces there."""
    shown = redacted(address).lower()
    words = {word for word in re.split(r"[\W_]+", f"{address} {unquote_plus(address)}".lower()) if len(word) >= _WORD}
    for word in sorted(words - _USUAL, key=len, reverse=True):
        if word not in shown:
            said = re.sub(re.escape(word), HIDDEN, said, flags=re.IGNORECASE)
    return redacted(said)


def _of_address(found: "re.Match[str]") -> str:
    """Hide the user part of an address; also what follows where the @ stands inside a secret option's value."""
    within = any(m.end() == len(found["user"]) and _is_secret(m) for m in _INSIDE.finditer(found["user"]))
    return f"{found['scheme']}{HIDDEN}@{HIDDEN if within else found['rest']}"


def _of_query(found: "re.Match[str]") -> str:
    """Hide an option of an address whose name, or whose value, tells a secret; also where it is written with %."""
    return f"{found[0].partition('=')[0]}={HIDDEN}" if _is_secret(found) else found[0]


def _is_secret(found: "re.Match[str]") -> bool:
    name, value = unquote_plus(found["name"]), unquote_plus(found["value"])
    words = re.findall(r"[\w.-]+", name) or [""]  # options=-c key, token[], token[0]
    return any(_OPEN.fullmatch(word) or _OPTION.search(f"{word}={value}") for word in words) or bool(
        _OPTION.search(f"{name}={value}")
    )


def _of_items(items: list[str]) -> Iterator[str]:
    """Hide parts of an address's options that have no name: each may be a token, or the rest of a hidden value."""
    hidden = False
    for item in items:
        hidden = item.endswith(HIDDEN) if "=" in item else hidden or len(item) >= _TOKEN
        yield item if "=" in item or not hidden else HIDDEN


def _of_encoded(found: "re.Match[str]") -> str:
    """Hide what is an address or an option with its secret once the % are read."""
    plain = unquote_plus(found[0])
    return redacted(plain) if plain != found[0] and redacted(plain) != plain else found[0]


_TOKEN = 6  # characters, of what may be a token
_ENCODED = re.compile(r"(?<!\S)\S*%(?:3A|40|3D)\S*", re.IGNORECASE)
_WORD = 2  # characters, of a piece of a secret
_USUAL = {"user", "password", "pwd", "pass", "token", "uid"}  # names of options


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
