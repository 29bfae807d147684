"""The files of a signed plan: their hashes, and what has changed since."""

import hashlib
import os
from pathlib import Path

from planner.errors import PlannerError
from planner.features.ledger.chain import read_ledger
from planner.features.ledger.entry import Entry
from planner.plan.files import PLAN

LEDGER = "ledger.jsonl"  # beside the plans that it lists, unless told otherwise
COMMITMENTS = "commitments.csv"  # written by `planner accept` itself, so no part of what is signed


def hashes(directory: Path) -> dict[str, str]:
    """SHA-256 of every file below a plan's directory, by name with /, in order; hidden files are no part of a plan."""
    names = sorted(
        path.relative_to(directory)
        for path in directory.rglob("*")
        if path.is_file() and not any(part.startswith((".", "~")) for part in path.relative_to(directory).parts)
    )
    return {name.as_posix(): sha256_of(directory / name) for name in names if name.as_posix() != COMMITMENTS}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seen_from(ledger: Path, directory: Path) -> str:
    """Return the way from the ledger's folder to a plan's directory, with /; absolute where there is none (Windows)."""
    try:
        return Path(os.path.relpath(directory.resolve(), ledger.resolve().parent)).as_posix()
    except ValueError:
        return directory.resolve().as_posix()


def changed(entry: Entry, ledger: Path) -> list[str] | None:
    """Say which files of a signed plan are no longer what was signed; None: its directory is gone."""
    directory = ledger.resolve().parent / entry.directory
    if not directory.is_dir():
        return None
    found = []
    for name, signed in entry.files.items():
        path = directory / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif sha256_of(path) != signed:
            found.append(f"{name} was changed")
    if entry.files.get(PLAN) != entry.plan_sha256:
        found.append(f"the entry states two hashes of {PLAN}")
    return found


def signature_of(directory: Path) -> Entry | None:
    """Find the entry that signs the plan of a directory in the ledger beside it; None: it is not signed there."""
    ledger = directory.resolve().parent / LEDGER
    if not ledger.is_file():
        return None
    place = directory.resolve()
    return next((e for e in read_ledger(ledger).entries if (ledger.parent / e.directory).resolve() == place), None)


def refuse_signed(directory: Path) -> None:
    """Refuse to write over a plan that was signed (`planner accept`), before any work is done."""
    if (directory / PLAN).exists() and (entry := signature_of(directory)) is not None:
        raise PlannerError(
            f"{directory} holds the plan that {entry.by} signed on {entry.date}, and it stays as it is: "
            "write somewhere else with -o DIR"
        )
