"""Several files of one folder that change together, where the folder itself is the user's and stays.

They are staged in a draft inside the folder, marked as whole, then moved one by one. If the process dies while they
move, whoever reads the folder or writes into it next finishes the move: nobody reads a mixture.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from planner.errors import PlannerError
from planner.io.atomic import COMMITTED, dead_drafts, draft, flush, sweep, undisturbed

Read = TypeVar("Read")
READ_TRIES, MOVE_SECONDS = 25, 0.2
_FILES = "files"


@contextmanager
def changed_together(
    folder: Path, name: str, gone: Collection[str] = (), before: Callable[[], None] = lambda: None
) -> Iterator[Path]:
    """Yield an empty directory; what is in it when the block ends well is moved into `folder`, else nothing changes.

    Parameters
    ----------
    folder : if it is not there, it is put in place as a whole.
    name : of the draft.
    gone : files of the folder that go with the move, where they are not among those that come.
    before : done when everything is on the disk and nothing has moved; if it fails, nothing changes.

    Raises
    ------
    PlannerError : a directory has the name of one of the files; somebody else made the folder meanwhile.
    """
    if not folder.exists():
        with draft(folder) as beside:
            new = beside / "new"
            new.mkdir()
            yield new
            flush(new)
            with undisturbed():
                before()
                try:
                    new.rename(folder)
                except OSError:
                    if not folder.exists():
                        raise
                    raise PlannerError(
                        f"{folder} was made by another process meanwhile and stays as it is: run this again if it is "
                        "to be written into"
                    ) from None
        return
    finish(folder)
    with draft(folder / name) as beside:
        new = beside / "new"
        new.mkdir()
        yield new
        names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
        places = [folder / file for file in names]
        for place in places:
            if place.is_dir():
                raise PlannerError(f"{place} is a directory, and a file of that name is to be written: move it away")
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
        flush(new)
        with undisturbed():
            marked = beside / f"{COMMITTED}.new"
            marked.write_text(json.dumps({_FILES: names, "gone": sorted(set(gone) - set(names))}), encoding="utf-8")
            before()
            marked.replace(beside / COMMITTED)
            _move(beside, folder)


def finish(folder: Path) -> None:
    """Finish what a killed process began to move into `folder`, and remove what others left; without one, do nothing.

    Raises
    ------
    PlannerError : it cannot be finished, so that the folder is a mixture of older and newer files.
    """
    for beside in dead_drafts(folder):
        if _is_ours(beside):
            try:
                with undisturbed():
                    _move(beside, folder)
            except OSError as error:
                if not (beside / COMMITTED).exists():  # another reader has finished it
                    continue
                raise PlannerError(
                    f"{folder} was being written when its process ended, and the rest cannot be put in place now "
                    f"({error.strerror}): run this again where {folder} can be written"
                ) from None
            shutil.rmtree(beside, ignore_errors=True)
    sweep(folder)
    sweep(folder.resolve().parent, folder.name)  # of the time when it was put in place as a whole


def read_settled(folder: Path, read: Callable[[], Read]) -> Read:
    """Return what ``read`` makes of a folder's files; it reads again where they changed together meanwhile.

    Raises
    ------
    PlannerError : they change again and again, or a move that was cut off cannot be finished.
    """
    for _ in range(READ_TRIES):
        finish(folder)
        before = _seen(folder)
        found = read()
        if _seen(folder) == before and not _is_moving(folder):
            return found
        time.sleep(MOVE_SECONDS)
    raise PlannerError(f"{folder} was written into while it was read, {READ_TRIES} times: try again when that is over")


def _seen(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Identify each visible file by its number, size (bytes) and time of change: another one where it was replaced."""
    seen = {}
    with suppress(OSError):
        for entry in os.scandir(folder):
            if not entry.name.startswith("."):
                with suppress(OSError):
                    found = entry.stat()
                    seen[entry.name] = (found.st_ino, found.st_size, found.st_mtime_ns)
    return seen


def _is_moving(folder: Path) -> bool:
    with suppress(OSError):
        return any(_is_ours(path) for path in folder.glob(".*.part"))
    return False


def _is_ours(beside: Path) -> bool:
    try:
        return _FILES in json.loads((beside / COMMITTED).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _move(beside: Path, folder: Path) -> None:
    """Move what is still in the draft; can be begun again after each step."""
    plan = json.loads((beside / COMMITTED).read_text(encoding="utf-8"))
    for name in plan[_FILES]:
        with suppress(FileNotFoundError):  # moved already
            (beside / "new" / name).replace(folder / name)
    for name in plan["gone"]:
        (folder / name).unlink(missing_ok=True)
