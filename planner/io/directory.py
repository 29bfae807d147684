"""A directory that is one thing: filled beside its place, then put there as a whole.

Where the operating system can exchange two directories in one step (Linux, macOS), or there is nothing to replace, it
is one rename: at every instant the place holds the older directory whole, the new one whole, or nothing yet.

Elsewhere, and where the place holds other people's files, stands for another file system or is somebody's current
directory, the files are moved one by one. Then the older *key file* (of a plan: plan.json) goes first and the new one
comes last, and the draft is marked as committed before: while files move there is no key file, so nothing there can be
taken for a plan; and if the process dies then, whoever writes or reads next finishes the move (`recover`).
"""

import ctypes
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from planner.errors import PlannerError
from planner.io.atomic import COMMITTED, dead_drafts, draft, flush, locked, undisturbed

Read = TypeVar("Read")
READ_TRIES, MOVE_SECONDS = 5, 0.2
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
_HIDDEN = (".", "~")  # of editors and file managers: never part of a directory of ours


@dataclass(frozen=True)
class Kind:
    """What a directory of ours is made of.

    key : the file without which it is nothing. ours : every name at its top that we may have written. foreign : a name
    that only a directory of another kind has. signed : names that say that it must stay as it is.
    """

    key: str
    ours: Set[str]
    foreign: Set[str]
    signed: Set[str]
    what: str


@contextmanager
def replaced(
    place: str | Path, kind: Kind, done: Callable[[], None] | None = None, *, held: bool = False
) -> Iterator[Path]:
    """Yield an empty directory to fill; if the block ends well it takes the place of `place`, else nothing changes.

    What others have put into `place` stays there. Two processes that replace one place do so one after the other.
    ``done`` is called once it is in place, before any stop (Ctrl-C) that came meanwhile. ``held`` : the caller holds
    the lock of the directory that `place` is in.

    Raises
    ------
    PlannerError : `place` is a file, a directory of another kind, or holds what must stay as it is.
    """
    target = Path(place).resolve()
    refuse(target, kind)
    with draft(target) as beside:
        recover(target, kind, held=held)
        new = beside / "new"
        new.mkdir()
        yield new
        flush(new)
        with locked(*([] if held else [target.parent])), undisturbed():
            refuse(target, kind)
            _put_in_place(new, target, beside, kind)
            if done is not None:
                done()


def read_whole(place: str | Path, kind: Kind, read: Callable[[Path], Read]) -> Read:
    """Return what ``read`` makes of a directory; it reads again where the directory was replaced meanwhile.

    So nothing is ever said of a mixture of two.

    Raises
    ------
    PlannerError : it is replaced again and again.
    """
    folder = Path(place)
    for _ in range(READ_TRIES):
        before = _identity(folder, kind)
        try:
            found = read(folder)
        except Exception:
            if _identity(folder, kind) == before and not _on_its_way(folder):
                raise
            time.sleep(MOVE_SECONDS)
        else:
            if _identity(folder, kind) == before:
                return found
    raise PlannerError(f"{folder} was replaced while it was read, {READ_TRIES} times: try again when that is over")


def _identity(place: Path, kind: Kind) -> tuple[tuple[int, ...] | None, ...]:
    """Tell one directory of ours from the next in the same place."""
    found: list[tuple[int, ...] | None] = []
    for path in (place, place / kind.key):
        try:
            seen = path.stat()
        except OSError:
            found.append(None)
        else:
            written = () if path is place else (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
            found.append((seen.st_dev, seen.st_ino, *written))
    return tuple(found)


def _on_its_way(place: Path) -> bool:
    """Whether files are being moved into a place one by one."""
    target = place.resolve()
    with suppress(OSError):
        return any(_committed(path).get("place") == target.name for path in target.parent.glob(".*.part"))
    return False


def refuse(place: Path, kind: Kind) -> None:
    """Raise if a place cannot be replaced; nothing is changed."""
    for path in (place, *place.parents):
        if path.exists():
            if not path.is_dir():
                raise PlannerError(f"cannot write into {place}: {path} is a file, not a directory")
            break
    for name in sorted(kind.foreign):
        if (place / name).exists():
            raise PlannerError(
                f"{place} holds {name}, so it is no place for {kind.what}: write somewhere else with -o DIR"
            )
    for name in sorted(kind.signed):
        if (place / name).exists():
            raise PlannerError(
                f"{place} holds a signed plan ({name} says so), which stays as it is: write somewhere else with -o DIR"
            )


def recover(place: Path, kind: Kind, *, held: bool = False) -> None:
    """Finish what a killed process began to put into `place`; without one, do nothing. ``held`` : as in `replaced`."""
    waiting = [beside for beside in dead_drafts(place.parent) if _committed(beside).get("place") == place.name]
    if not waiting:
        return
    with locked(*([] if held else [place.parent])), undisturbed():
        for beside in waiting:
            names = set(_committed(beside).get("names", ()))
            if (beside / "new" / kind.key).exists() and names:
                _move_one_by_one(beside / "new", place, names, kind)
            shutil.rmtree(beside, ignore_errors=True)


def _commit(beside: Path, place: Path, names: Set[str]) -> None:
    """Mark a draft as whole and on its way: from here on it is only ever finished, never dropped."""
    told = beside / f"{COMMITTED}.new"
    told.write_text(json.dumps({"place": place.name, "names": sorted(names)}), encoding="utf-8")
    told.replace(beside / COMMITTED)


def _committed(beside: Path) -> dict[str, Any]:
    try:
        found = json.loads((beside / COMMITTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _put_in_place(new: Path, place: Path, beside: Path, kind: Kind) -> None:
    if not place.exists():
        new.rename(place)
        return
    shutil.copymode(place, new)
    if _only_ours(place, kind) and not _is_lived_in(place) and _exchanged(new, place):
        return  # the older one goes with the draft
    names = set(os.listdir(new))
    _commit(beside, place, names)
    _move_one_by_one(new, place, names, kind)


def _only_ours(place: Path, kind: Kind) -> bool:
    return all(name in kind.ours or (name.startswith(".") and name.endswith(".part")) for name in os.listdir(place))


def _is_lived_in(place: Path) -> bool:
    """Whether a place cannot be renamed away under somebody: a mount point, or where we stand."""
    try:
        return place.is_mount() or Path.cwd().resolve().is_relative_to(place)
    except OSError:
        return True


def _move_one_by_one(new: Path, place: Path, names: Set[str], kind: Kind) -> None:
    """Move what is still in `new` of `names`; can be begun again after each step."""
    place.mkdir(exist_ok=True)
    if (new / kind.key).exists():
        (place / kind.key).unlink(missing_ok=True)
    left = set(os.listdir(new))
    for name in os.listdir(place):
        old_part = name.startswith(".") and name.endswith(".part")
        in_the_way = name in left and (place / name).is_dir()
        if old_part or in_the_way or (name in kind.ours and name not in names):
            _remove(place / name)
    for name in sorted(left - {kind.key}):
        (new / name).replace(place / name)
    (new / kind.key).replace(place / kind.key)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def is_hidden(relative: Path) -> bool:
    """Whether a file is an editor's or a file manager's, such as .DS_Store or ~$plan.xlsx."""
    return any(part.startswith(_HIDDEN) for part in relative.parts) or relative.name in ("Thumbs.db", "desktop.ini")


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two directories in one step; False where the system or the file system cannot."""
    exchange = _exchange()
    return exchange is not None and exchange(os.fsencode(one), os.fsencode(other)) == 0


@cache
def _exchange() -> Callable[[bytes, bytes], int] | None:
    """Return the C library's exchange of two paths; None where it has none."""
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            swap = library.renamex_np
            return lambda one, other: int(swap(one, other, _RENAME_SWAP))
        rename = library.renameat2
    except (AttributeError, OSError, TypeError):
        return None
    return lambda one, other: int(rename(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE))
