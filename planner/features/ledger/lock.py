"""One process at a time: a lock that the operating system takes back when its holder dies, however it dies."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from planner.errors import PlannerError

WAIT_SECONDS, LOOK_SECONDS = 60.0, 0.05
_FAR = 2**40  # byte that Windows locks: beyond any content, so that readers are not kept out


@contextmanager
def locked(path: Path, mode: str = "rb") -> Iterator[IO[bytes]]:
    """Open a file and hold the lock on it; wait for whoever holds it.

    The lock belongs to the file itself, so nothing is left behind. If the file was replaced while we waited (an editor
    saves so), the new one is opened and locked instead.

    Raises
    ------
    PlannerError : it was not to be had for a minute.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        file = path.open(mode)
        try:
            _wait(file, path, until)
            if _is_still(file, path):
                yield file
                return
        finally:
            file.close()  # gives the lock back


def _wait(file: IO[bytes], path: Path, until: float) -> None:
    while not _try(file):
        if time.monotonic() > until:
            raise PlannerError(f"{path}: another process has been writing it for {WAIT_SECONDS:.0f} s; try again later")
        time.sleep(LOOK_SECONDS)


def _is_still(file: IO[bytes], path: Path) -> bool:
    """Whether the open file is the one that now has the name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _try(file: IO[bytes]) -> bool:
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
