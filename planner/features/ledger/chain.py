"""Reading the ledger: its entries, and every place where the chain does not hold."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from planner.errors import PlannerError
from planner.features.ledger.entry import START, Entry
from planner.io.digest import FORMAT, read_json, seal_of

LARGEST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Ledger:
    """A ledger as read.

    entries : those that can be read, in the order of the file. faults : where the chain breaks, in words, each with
    the line. torn : what the file holds after its last line end, if that is no whole entry: a process was stopped while
    it wrote. ended : whether the file ends in a line end (or is empty).
    """

    entries: tuple[Entry, ...]
    faults: tuple[str, ...] = ()
    torn: str | None = None
    ended: bool = True

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and self.torn is None

    @property
    def head(self) -> str:
        """Hash of the last entry: what the next one is chained to."""
        return self.entries[-1].sha256 if self.entries else START

    def find(self, sha256: str) -> Entry | None:
        """Return the entry whose hash begins so."""
        wanted = sha256.strip().lower()
        return next((e for e in self.entries if e.sha256.startswith(wanted)), None)


def read_ledger(path: Path) -> Ledger:
    """Read a ledger and follow its chain; an empty file is an empty ledger.

    Raises
    ------
    PlannerError : there is no such file, or it is too large to be one.
    """
    if not path.is_file():
        what = (
            "is a directory, not a ledger" if path.is_dir() else "there is no such ledger; `planner accept` begins one"
        )
        raise PlannerError(f"{path}: {what}")
    if path.stat().st_size > LARGEST_BYTES:
        raise PlannerError(f"{path}: too large for a ledger (at most {LARGEST_BYTES // 2**20} MB are read)")
    return parse(path.read_bytes())


def parse(data: bytes) -> Ledger:
    """Follow the chain through the bytes of a ledger."""
    *lines, rest = data.split(b"\n")
    entries: list[Entry] = []
    faults: list[str] = []
    torn = None
    previous, number = START, 1
    for k, raw in enumerate([*lines, *([rest] if rest else [])], start=1):
        entry, fault, stated = _read(raw)
        if entry is None:
            if k > len(lines):
                torn = raw.decode("utf-8", "replace")
                break
            faults.append(f"line {k}: {fault}")
            previous, number = "", number + 1
            continue
        if fault:
            faults.append(f"line {k}, entry {entry.entry}: {fault}")
        if previous and entry.previous != previous:
            what = "the first entry of a ledger" if previous == START else "the line before it"
            faults.append(f"line {k}, entry {entry.entry}: does not follow {what}: an entry was edited, taken out, "
                          "put in or moved here")  # fmt: skip
        if entry.entry != number:
            faults.append(f"line {k}, entry {entry.entry}: should be entry {number}")
        entries.append(entry)
        previous, number = stated, entry.entry + 1
    return Ledger(tuple(entries), tuple(faults), torn, ended=not rest)


def _read(raw: bytes) -> tuple[Entry | None, str, str]:
    """Read a line: the entry (None: it is none), what is wrong with it, and the hash that it states."""
    try:
        text = raw.decode("utf-8")
        content = read_json(text)
        stated = str(content.pop("sha256"))
        form = content.get("format", 1)
        if isinstance(form, int) and form > FORMAT:
            return None, "was written by a newer planner: update planner to read this ledger", ""
        entry = Entry.model_validate_json(json.dumps(content))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "the line"
        return None, f"is no entry: {where}: {error.errors()[0]['msg'].lower()}", ""
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None, "is no entry of a ledger", ""
    if entry.line() == text:
        return entry, "", stated
    if stated in (entry.sha256, (seal_of(text) or ("", ""))[1]):
        return entry, "was rewritten by another program: same content, other text", stated
    return entry, "was edited: its content no longer has the hash that it states", stated
