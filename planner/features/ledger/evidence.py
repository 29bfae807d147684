"""The files of a signed plan: their hashes, and what has changed since."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from planner.errors import Fault, InputError, PlannerError
from planner.features.ledger.chain import Entry, read_ledger
from planner.io.digest import sha256_of
from planner.io.directory import refuse
from planner.plan.manifest import (
    COMMITMENTS,
    DIRECTORY,
    PLAN,
    SIGNATURES,
    Mark,
    digests_in,
    files_in,
    read_signatures,
)

LEDGER = "ledger.jsonl"  # beside the plans that it lists, unless another is named
_OURS = (SIGNATURES, COMMITMENTS)  # written by `planner accept` itself, so no part of what is signed


def hashes(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below a plan's directory, by name with /; hidden files are no part of a plan."""
    found = {name: digest for name, digest in digests_in(directory).items() if name not in _OURS}
    return dict(sorted({PLAN: sha256_of(directory / PLAN), **found}.items()))


def seen_from(place: Path, target: Path) -> str:
    """Return the way from a directory to a path, with /; absolute where there is none (Windows)."""
    try:
        return Path(os.path.relpath(target.resolve(), place.resolve())).as_posix()
    except ValueError:
        return target.resolve().as_posix()


def directory_of(entry: Entry, ledger: Path) -> Path:
    """Return the directory of the plan that an entry signs."""
    return ledger.resolve().parent / entry.directory


def changed(entry: Entry, ledger: Path) -> list[str]:
    """Say what of a signed plan is no longer what was signed; nothing: all of it is."""
    directory = directory_of(entry, ledger)
    if not (directory / PLAN).is_file():
        moved = _elsewhere(entry, ledger)
        return [f"no longer exists: {moved or 'it was moved or deleted, so it cannot be checked'}"]
    found = []
    for name, signed in entry.files.items():
        path = directory / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif sha256_of(path) != signed:
            found.append(f"{name} was changed")
    if entry.files.get(PLAN) != entry.plan_sha256:
        found.append(f"the entry states two hashes of {PLAN}")
    found += [f"{name} was added" for name in files_in(directory) if name not in entry.files and name not in _OURS]
    return found + list(_signing(entry, directory))


def _signing(entry: Entry, directory: Path) -> Iterator[str]:
    """Say what is wrong with commitments.csv and signatures.json."""
    if entry.format == 1:  # planner 0.1.0 kept no digest of them
        return
    beside = entry.commitments_beside
    try:
        signatures = read_signatures(directory)
        if signatures is None:
            yield f"{SIGNATURES} is missing"
        else:
            beside = beside or signatures.commitments_sha256 is not None
            if all(mark.sha256 != entry.sha256 for mark in signatures.marks):
                yield f"{SIGNATURES} does not list this entry"
    except InputError as error:
        yield from (f"{SIGNATURES} {fault.message}" for fault in error.faults)
    path = directory / COMMITMENTS
    if beside and not path.is_file():
        yield f"{COMMITMENTS} is missing"
    elif path.is_file() and sha256_of(path) != entry.commitments_sha256:
        yield f"{COMMITMENTS} was changed" if beside else f"{COMMITMENTS} was added"


def _elsewhere(entry: Entry, ledger: Path) -> str:
    """Say where a plan lies now if it was only moved beside other plans."""
    for path in sorted(ledger.resolve().parent.glob(f"*/{PLAN}")):
        if sha256_of(path) == entry.plan_sha256:
            return f"it is in {path.parent.name} now; move it back, because the ledger names {entry.directory}"
    return ""


def unlisted(ledger: Path, entries: Iterable[Entry]) -> list[str]:
    """Say which plans beside a ledger state that it lists them, and it does not.

    So a ledger that was emptied, cut off at its end or deleted shows, as long as the plans are there.
    """
    listed = {entry.sha256 for entry in entries}
    found = []
    for path in sorted(ledger.resolve().parent.glob(f"*/{SIGNATURES}")):
        directory = path.parent
        try:
            signatures = read_signatures(directory)
        except InputError as error:
            found += [f"{directory.name}: {fault.message}" for fault in error.faults]
            continue
        found += [
            f"{directory.name}: its {SIGNATURES} says that {mark.by} signed it on {mark.date} as entry {mark.entry}, "
            f"{mark.sha256[:12]}..., which is not here: the ledger was cut off or emptied, or planner accept was "
            "stopped before it wrote the entry (then accept the plan again)"
            for mark in (() if signatures is None else signatures.marks)
            if mark.ledger_of(directory) == ledger.resolve() and mark.sha256 not in listed
        ]
    return found


def refuse_signed(directory: Path) -> None:
    """Refuse to write a plan over one that was signed, wherever its ledger lies, or into a planning folder.

    Raises
    ------
    PlannerError : the directory holds such a plan, and by whom it is signed; or says so in a file that was edited.
    """
    if (directory / PLAN).is_file():
        _refuse_signed_plan(directory)
    refuse(directory.resolve(), DIRECTORY)


def _refuse_signed_plan(directory: Path) -> None:
    stays = "and must not be changed: write somewhere else with -o DIR"
    if (mark := mark_of_directory(directory)) is not None:
        ledger = mark.ledger_of(directory)
        if not ledger.is_file():
            raise PlannerError(f"{directory} holds a plan that {mark.by} signed on {mark.date}, according to its "
                               f"{SIGNATURES} (the ledger, {ledger}, no longer exists), {stays}")  # fmt: skip
        if read_ledger(ledger).find(mark.sha256) is None:
            raise PlannerError(f"{directory} holds a plan that its {SIGNATURES} shows as signed by {mark.by} on "
                               f"{mark.date}, but {ledger} has no such entry: accept it again, or move it away; "
                               "write somewhere else with -o DIR")  # fmt: skip
        raise PlannerError(f"{directory} holds the plan that {mark.by} signed on {mark.date}, {stays}")
    ledger = directory.resolve().parent / LEDGER
    if ledger.is_file():
        place = directory.resolve()
        for entry in read_ledger(ledger).entries:
            if directory_of(entry, ledger).resolve() == place:
                raise PlannerError(f"{directory} holds the plan that {entry.by} signed on {entry.date}, {stays}")


def mark_of_directory(directory: Path) -> Mark | None:
    """Return the first signature that a plan's directory holds."""
    try:
        signatures = read_signatures(directory)
    except InputError as error:
        raise PlannerError(f"{error}; until that is resolved, the plan is not overwritten") from None
    return signatures.marks[0] if signatures is not None and signatures.marks else None


def refuse_changed(directory: Path, faults: list[Fault]) -> None:
    """Raise if a plan that is to be signed is not the one that was written, file by file."""
    if faults:
        told = "\n".join(f"  {fault}" for fault in faults)
        raise PlannerError(f"{directory}: these files differ from the plan as it was written, so it cannot be signed; "
                           f"solve it again, or price the edited order (planner price):\n{told}")  # fmt: skip
