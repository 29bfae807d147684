"""One writer at a time in a directory: a lock that the operating system takes back when its holder dies."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from planner.errors import PlannerError

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
