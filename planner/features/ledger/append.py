"""Writing the ledger: one line at its end, while nobody else writes; what is there is never touched."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from planner.errors import PlannerError
from planner.features.ledger.chain import Ledger, parse
from planner.features.ledger.entry import Entry
from planner.io.lock import locked

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
        size = os.fstat(self.file.fileno()).st_size
        try:
            self.file.write(line if self.ledger.ended else b"\n" + line)
            self.file.flush()
            os.fsync(self.file.fileno())
        except OSError:
            os.ftruncate(self.file.fileno(), size)
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
    with path.open("a+b") as file:
        file.seek(0)
        ledger = parse(file.read())
        if ledger.torn is not None:
            raise PlannerError(torn_line(path, ledger))
        if ledger.faults:
            shown = "\n".join(f"  {fault}" for fault in ledger.faults)
            raise PlannerError(f"{path} does not hold, so nothing is added to it:\n{shown}")
        yield OpenLedger(ledger, path, file)


def torn_line(path: Path, ledger: Ledger) -> str:
    """Say that the last line is torn, and what to do."""
    torn = ledger.torn or ""
    text = torn if len(torn) <= _SHOWN else torn[:_SHOWN] + "..."
    return (
        f"{path}: the last line, after entry {len(ledger.entries)}, is torn: a process was stopped while it wrote it, "
        f"so what it was to sign is not signed. It holds {len(torn):,} characters: {text!r}. Take this line out of the "
        "file, then accept the plan again"
    )
