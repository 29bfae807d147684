"""Answers kept for the next run: arrays by key in one folder, which may be deleted at any time.

A file holds plain arrays (no code can hide in it), written beside and put in place, so that two commands at once do no
harm; one that cannot be read is as good as none. A key names everything that an answer follows from, the source code
among it. What is proved is never taken from here: whoever reads an answer checks it.
"""

import hashlib
import os
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from planner.io.atomic import sweep, written_beside

PACKAGE = Path(__file__).parents[1]


@cache
def source_digest(*rooms: str) -> str:
    """SHA-256 of every Python file of the rooms (such as "model", "units.py"), by name: an edit gives another one."""
    h = hashlib.sha256()
    for room in rooms:
        start = PACKAGE / room
        for path in sorted(start.rglob("*.py")) if start.is_dir() else [start]:
            h.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
            h.update(hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()


FOLDER = ".planner-cache"
MOST_FILES = 2000
OLDEST_SECONDS = 120 * 24 * 3600


class Cache:
    """Answers by key in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> dict[str, np.ndarray] | None:
        """Read an answer back; None where there is none that can be read."""
        path = self.folder / f"{key}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                found = {name: data[name] for name in data.files}
            os.utime(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError):
            return None
        except SystemError:  # numpy parses a header as Python, and two threads that parse at once may trip Python 3.11
            return None
        return found

    def put(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep an answer; a full disk or a read-only folder only costs the next run its head start."""
        with suppress(OSError), written_beside(self.folder / f"{key}.npz") as beside, beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # no allow_pickle: numpy before 2.2 keeps it as an array

    def tidy(self) -> None:
        """Drop what killed processes left, answers not asked for in months, and the oldest beyond MOST_FILES."""
        sweep(self.folder)
        with suppress(OSError):
            files = sorted(self.folder.glob("*.npz"), key=lambda p: p.stat().st_mtime, reverse=True)
            for rank, path in enumerate(files):
                if rank >= MOST_FILES or time.time() - path.stat().st_mtime > OLDEST_SECONDS:
                    path.unlink(missing_ok=True)
