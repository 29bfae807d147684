"""signatures.json: that a plan's directory is signed, by whom and in which ledger, wherever that ledger lies.

`planner accept` writes it just before the ledger's entry. It is sealed, and says also what commitments.csv must be, so
that the two files that are no part of what is signed are found as well where they were changed, taken away or added.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.io.atomic import write_text
from planner.io.digest import FORMAT, read_json, seal_of, sealed, sha256_of
from planner.plan.manifest import COMMITMENTS, SIGNATURES


@dataclass(frozen=True)
class Mark:
    """One signature: the ledger (seen from the plan's directory, with /), the entry's number and hash, who, when."""

    ledger: str
    entry: int
    sha256: str
    by: str
    date: str

    def ledger_of(self, directory: Path) -> Path:
        """Return the path of the ledger."""
        return Path(os.path.normpath(directory.resolve() / self.ledger))


@dataclass(frozen=True)
class Signatures:
    """Every signature of a plan. commitments_sha256 : of commitments.csv; None: no such file was written."""

    plan_sha256: str
    commitments_sha256: str | None
    marks: tuple[Mark, ...]


def read_signatures(directory: Path) -> Signatures | None:
    """Read the signatures of a plan's directory; None: it has none.

    Raises
    ------
    InputError : the file was edited, or cannot be read.
    """
    path = directory / SIGNATURES
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError([Fault(str(path), f"cannot be read: {error}")]) from None
    try:
        found = read_json(text)
        form = found.pop("format")
        seal = seal_of(text)
        del found["sha256"]
        signatures = Signatures(
            str(found["plan_sha256"]), found["commitments_sha256"], tuple(Mark(**mark) for mark in found["signatures"])
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError([Fault(str(path), "is not what `planner accept` wrote: it was edited")]) from None
    if not isinstance(form, int) or form > FORMAT:
        raise InputError([Fault(str(path), "was written by a newer planner: update planner to read it")])
    if seal is None or seal[0] != seal[1]:
        raise InputError([Fault(str(path), "was edited: it no longer has the digest that it states")])
    return signatures


def write_signatures(signatures: Signatures, path: Path) -> None:
    """Write the signatures."""
    told: dict[str, Any] = {
        "format": FORMAT,
        "plan_sha256": signatures.plan_sha256,
        "commitments_sha256": signatures.commitments_sha256,
        "signatures": [asdict(mark) for mark in signatures.marks],
    }
    write_text(path, sealed(json.dumps(told, indent=2, ensure_ascii=False) + "\n"))


def faults_of_signing(directory: Path) -> list[Fault]:
    """Say what is wrong with the two files that signing adds: they are edited, missing, or from elsewhere."""
    from planner.plan.manifest import PLAN

    try:
        signatures = read_signatures(directory)
    except InputError as error:
        return list(error.faults)
    path = directory / COMMITMENTS
    if signatures is None:
        return []
    faults = []
    if sha256_of(directory / PLAN) != signatures.plan_sha256:
        faults.append(Fault(str(directory / SIGNATURES), f"signs another {PLAN}"))
    wanted = signatures.commitments_sha256
    if wanted is None and path.exists():
        faults.append(Fault(str(path), "was added: planner accept wrote no such file here"))
    elif wanted is not None and not path.is_file():
        faults.append(Fault(str(path), "is missing: planner accept wrote it when the plan was signed"))
    elif wanted is not None and sha256_of(path) != wanted:
        faults.append(Fault(str(path), "is not what planner accept wrote: it was edited"))
    return faults
