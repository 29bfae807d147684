"""The ledger's entries, each holding the hash of the one before: reading, checking and appending."""

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import PlannerError
from planner.io.atomic import fits, locked
from planner.io.digest import FORMAT, read_json, seal_of, sealed
from planner.plan.orders import order_digest

START = "0" * 64  # `previous` of the first entry
Hash = Field(pattern=r"^[0-9a-f]{64}$")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bought(_Frozen):
    """One purchase that was signed: units of an offer, from start to end (first day no longer in force)."""

    offer: str
    pool: str
    region: str
    units: float
    start: dt.date
    end: dt.date
    usd_per_unit_hour: float
    upfront_usd_per_unit: float = 0.0  # due on the first day
    horizon_usd: float  # of it inside the plan's months
    term_usd: float


class Entry(_Frozen):
    """What was signed. ``files`` are the SHA-256 of the plan's files by name, from its directory."""

    format: int = 1  # of the line; 1: planner 0.1.0, which did not write it
    entry: int = Field(ge=1)
    previous: str = Hash
    date: dt.date
    by: str
    note: str | None
    plan: str
    directory: str  # of the plan, seen from the ledger's own, with /
    first_month: str
    last_month: str
    status: str
    input_sha256: str = Hash
    plan_sha256: str = Hash  # of plan.json
    total_usd: float
    committed_horizon_usd: float
    committed_term_usd: float
    bought: tuple[Bought, ...]
    files: dict[str, str]
    commitments_sha256: str | None = None  # of the table of all that the plan owes; None: nothing, or not known
    commitments_beside: bool = False  # whether it was written beside the plan, as commitments.csv, when it was signed

    @property
    def order_sha256(self) -> str:
        """Hash of what was signed, as the purchase order has it."""
        lines = [(b.offer, b.units, b.start, b.end, b.term_usd) for b in self.bought]
        return order_digest(self.input_sha256, self.total_usd, lines)

    def line(self) -> str:
        """Lay the entry out as its line, without line end."""
        content = self.model_dump(mode="json", exclude_unset=True)
        return sealed(_text(content))

    @property
    def sha256(self) -> str:
        """Hash of the entry: SHA-256 of its line without this key."""
        found = seal_of(self.line())
        assert found is not None
        return found[0]


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def money(usd: float) -> float:
    """Dollars as the ledger keeps them: to the cent."""
    return round(usd, 2) + 0.0


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
            "is a directory, not a ledger" if path.is_dir() else "there is no such ledger; `planner accept` creates one"
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
            faults.append(f"line {k}, entry {entry.entry}: does not follow {what}: an entry was edited, removed, "
                          "inserted or moved here")  # fmt: skip
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
        return None, f"is not an entry: {where}: {error.errors()[0]['msg'].lower()}", ""
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None, "is not an entry of a ledger", ""
    if entry.line() == text:
        return entry, "", stated
    if stated in (entry.sha256, (seal_of(text) or ("", ""))[1]):
        return entry, "was rewritten by another program: same content, other text", stated
    return entry, "was edited: its content no longer matches its hash", stated


_SHOWN = 60  # characters of a torn line


@dataclass(frozen=True)
class OpenLedger:
    """A ledger that this process alone may write: as it stands, and where the next line goes."""

    ledger: Ledger
    path: Path
    file: IO[bytes]

    def append(self, entry: Entry) -> None:
        """Write the entry's line in one piece, and see it safely on the disk; if that fails, nothing of it stays.

        Raises
        ------
        OSError : the disk is full, or the file may not be written.
        """
        line = entry.line().encode() + b"\n"
        left = memoryview(line if self.ledger.ended else b"\n" + line)
        number = self.file.fileno()
        size = os.fstat(number).st_size
        try:
            while left:  # past Python's buffer, which would be written when the file is closed, also after a failure
                left = left[os.write(number, left) :]
            os.fsync(number)
        except OSError:
            os.ftruncate(number, size)
            raise


@contextmanager
def opened(path: Path) -> Iterator[OpenLedger]:
    """Hold a ledger for writing; it is begun if there is none.

    Raises
    ------
    PlannerError : its chain does not hold, or its last line is torn: nothing is written on top of that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent), opened_locked(path) as book:
        yield book


@contextmanager
def opened_locked(path: Path) -> Iterator[OpenLedger]:
    """Do what `opened` does for a caller who holds the lock of the ledger's directory, which exists."""
    with fits(path), _begun(path) as file:
        file.seek(0)
        ledger = parse(file.read())
        if ledger.torn is not None:
            raise PlannerError(torn_line(path, ledger))
        if ledger.faults:
            shown = "\n".join(f"  {fault}" for fault in ledger.faults)
            raise PlannerError(f"{path} is broken, so nothing is added to it:\n{shown}")
        yield OpenLedger(ledger, path, file)


@contextmanager
def _begun(path: Path) -> Iterator[IO[bytes]]:
    """Open a ledger; one that was not there, and into which nothing was written, is not left behind."""
    new = not path.exists()
    if not new and not path.is_file():
        raise PlannerError(f"{path} is not a file, so it is no ledger")
    try:
        with path.open("a+b") as file:
            yield file
    finally:
        if new and path.is_file() and path.stat().st_size == 0:
            path.unlink()


def torn_line(path: Path, ledger: Ledger) -> str:
    """Say that the last line is torn, and what to do."""
    torn = ledger.torn or ""
    text = torn if len(torn) <= _SHOWN else torn[:_SHOWN] + "..."
    return (
        f"{path}: the last line, after entry {len(ledger.entries)}, is incomplete: a process was stopped while it "
        f"wrote it, so that plan is not signed. The line holds {len(torn):,} characters: {text!r}. Remove this line "
        "from the file, then accept the plan again"
    )
