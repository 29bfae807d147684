"""Write beside, then put in place: a reader never sees half a file, and an earlier one stays whole if writing fails.

What is written lies in a *draft* until it is whole: a hidden directory beside its place, named ``.NAME-xxxxxxxx.part``,
whose lock its process holds. A process that is killed leaves its draft behind, unlocked, and the next one that writes
there sweeps it away. (``.new`` is one that is about to be locked, ``.gone`` one that is being swept away.)
"""

import errno
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from planner.errors import DiskFullError, PlannerError
from planner.io.shown import without_formulas

if TYPE_CHECKING:
    from filelock import BaseFileLock

ALIVE = ".lock"  # in a draft: locked while its process lives
COMMITTED = ".committed"  # in a draft of a directory: whole, and on its way into place (io.directory)
_DRAFT = re.compile(r"\..*-[a-z0-9_]{8}\.(part|new|gone)")
_LONGEST = 60  # characters of the place's name in the draft's
_BEGINNINGS = 50  # tries: somebody who sweeps may take a draft that is not locked yet
FULL = {  # what an operating system says where a file cannot grow any more
    "ENOSPC": "its disk is full",
    "EDQUOT": "your share of its disk (quota) is used up",
    "EFBIG": "a file may not become so large there",
}
_STOPS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def written_beside(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; the file becomes `path` if the block ends well, else it is removed."""
    target = Path(path)
    with draft(target) as beside:
        file = beside / target.name
        yield file
        file.replace(target)


def flush(folder: Path) -> None:
    """See every file of a directory safely on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file, suppress(OSError):
                os.fsync(file.fileno())


def replace_file(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a file beside `path`, then put it in its place; a failure leaves nothing."""
    with written_beside(path) as beside:
        write(beside)


def write_csv(path: str | Path, table: Any) -> None:
    """Write a frame as CSV, as a whole; no cell begins as a formula does."""
    with written_beside(path) as beside:
        without_formulas(table).to_csv(beside, index=False, lineterminator="\n")


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8, line ends as they are) beside, then put it in place."""
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def fits(place: Path) -> Iterator[None]:
    """Say of a disk that is full which place it was to be, whoever finds out (pyarrow has words of its own).

    Raises
    ------
    DiskFullError : what the block writes does not fit on the disk.
    """
    try:
        yield
    except DiskFullError as error:  # of something inside it: the place that people know is this one
        raise DiskFullError(place, error.why) from error
    except OSError as error:
        why = FULL.get(errno.errorcode.get(error.errno or 0, ""))
        if why is None:
            raise
        raise DiskFullError(place, why) from error


@contextmanager
def draft(place: Path) -> Iterator[Path]:
    """Yield a new hidden directory beside `place`, removed with what is left in it when the block ends.

    Raises
    ------
    DiskFullError : what is written does not fit on the disk.
    """
    with fits(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        sweep(place.parent)
        beside, lock = _begin(place)
        try:
            yield beside
        finally:
            with undisturbed():
                lock.release()
                shutil.rmtree(beside, ignore_errors=True)


def _begin(place: Path) -> tuple[Path, "BaseFileLock"]:
    """Make a draft whose lock we hold; one that somebody sweeps before it is locked is made again."""
    from filelock import FileLock

    for left in reversed(range(_BEGINNINGS)):
        begun = Path(tempfile.mkdtemp(prefix=f".{place.name[:_LONGEST]}-", suffix=".new", dir=place.parent))
        beside, lock = begun.with_suffix(".part"), FileLock(str(begun / ALIVE))
        try:
            lock.acquire(timeout=0)
            begun.rename(beside)
        except BaseException as error:
            lock.release()
            for path in (begun, beside):
                shutil.rmtree(path, ignore_errors=True)
            if not isinstance(error, FileNotFoundError) or not left:
                raise
        else:
            return beside, lock
    raise AssertionError("the last try returns or raises")


def sweep(parent: Path, name: str = "") -> None:
    """Remove drafts (of one name) whose process died; a committed one is to be finished (io.directory, io.together)."""
    for beside in dead_drafts(parent, name):
        if not (beside / COMMITTED).exists():
            gone = beside.with_suffix(".gone")
            with suppress(OSError):  # one step: a process that is about to lock it makes another
                beside.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def dead_drafts(parent: Path, name: str = "") -> list[Path]:
    """List the drafts (of one name) in a directory whose process died."""
    begin = f".{name[:_LONGEST]}-" if name else "."
    with suppress(OSError):
        names = sorted(n for n in os.listdir(parent) if n.startswith(begin) and _DRAFT.fullmatch(n))
        return [parent / name for name in names if _is_dead(parent / name)]
    return []


def _is_dead(beside: Path) -> bool:
    try:
        return not (beside / ALIVE).is_file() or not is_held(beside / ALIVE)  # without it: half removed
    except OSError:  # gone, or another user's
        return False


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a stop (Ctrl-C, SIGTERM, SIGHUP) wait until the block has ended: for a few renames that belong together."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = {}
    try:
        for name in _STOPS:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and callable(signal.getsignal(number)):
                before[number] = signal.signal(number, lambda number, frame: came.append((number, frame)))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number, frame in came[:1]:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)


LOCK = ".planner.lock"  # stays in the directory, empty: taking it away could give two processes the lock
WAIT_SECONDS, LOOK_SECONDS = 60.0, 0.05


@contextmanager
def locked(*directories: Path) -> Iterator[None]:
    """Hold the lock of each directory, which exists; wait for whoever holds one.

    Directories may repeat; they are locked in one order everywhere, so that two processes cannot wait for each other.
    A process must not lock a directory again that it holds already.

    Raises
    ------
    PlannerError : a lock was not to be had for a minute.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as held:
        for directory in _ordered(directories):
            try:
                held.enter_context(
                    FileLock(str(directory / LOCK)).acquire(timeout=WAIT_SECONDS, poll_interval=LOOK_SECONDS)
                )
            except Timeout:
                raise PlannerError(
                    f"{directory}: another process has been writing here for {WAIT_SECONDS:.0f} s; try again later"
                ) from None
        yield


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock of this file."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(str(path)).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _ordered(directories: Iterable[Path]) -> list[Path]:
    return sorted({directory.resolve() for directory in directories})
