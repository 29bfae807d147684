"""The files of a plan's directory: listed with their digests in plan.json, and held against what is there.

plan.json is the key of the directory. It is sealed (it states its own digest, planner.io.digest) and lists every other
file, so that a workbook, page, table or copy of the input that was changed, taken away, added, or belongs to another
plan shows. What `planner accept` adds (signatures.json, commitments.csv) is listed in signatures.json instead.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.io.atomic import write_text
from planner.io.digest import FORMAT, read_json, seal_of, sealed, sha256_of
from planner.io.directory import Kind, is_hidden, recover

PLAN, DISPATCH, STRESS, RENTS = "plan.json", "dispatch.parquet", "stress.parquet", "rents.parquet"
CERTIFICATE, INPUT = "certificate.parquet", "input"
WORKBOOK, PAGE, CHANGES = "plan.xlsx", "plan.html", "changes.json"
SIGNATURES, COMMITMENTS = "signatures.json", "commitments.csv"  # written when the plan is signed
SCALED = "scaled_units.parquet"  # only where units run by the hour
NO_PLACE = frozenset({"plan.yaml", PLAN})  # a planning folder, a plan: no other result is written into either
TABLES = (DISPATCH, STRESS, RENTS, CERTIFICATE)
DIRECTORY = Kind(
    key=PLAN,
    ours=frozenset({PLAN, *TABLES, SCALED, INPUT, WORKBOOK, PAGE, CHANGES}),
    foreign=frozenset({"plan.yaml", "study.json", "mix.json", "review.json"}),  # a planning folder, another result
    signed=frozenset({SIGNATURES, COMMITMENTS}),
    what="a plan",
)
_OF_INPUT = re.compile(rf"{INPUT}/(?:plan\.yaml|demand\.parquet|[a-z_]+\.csv)")
LARGEST_BYTES = 512 * 2**20  # of plan.json


def files_in(directory: Path) -> list[str]:
    """Name every file of a plan's directory but plan.json, with /, in order; those of editors are left out."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            relative = (Path(folder) / name).relative_to(directory)
            if not is_hidden(relative) and relative.as_posix() != PLAN:
                found.append(relative.as_posix())
    return sorted(found)


def digests_in(directory: Path) -> dict[str, str]:
    """SHA-256 of every file of a plan's directory but plan.json, by name."""
    return {name: sha256_of(directory / name) for name in files_in(directory)}


def read_document(directory: Path) -> tuple[dict[str, Any], str]:
    """Read plan.json: what it says, and its text.

    Raises
    ------
    InputError : it is missing, no JSON, or written by a newer planner.
    """
    path = directory / PLAN
    if not path.exists():
        recover(directory.resolve(), DIRECTORY)
    try:
        if path.stat().st_size > LARGEST_BYTES or not path.is_file():
            raise ValueError("too large, or no file")
        text = path.read_text(encoding="utf-8")
        found = read_json(text)
    except FileNotFoundError:
        raise InputError([Fault(str(path), "is missing; `planner solve` writes it")]) from None
    except (OSError, ValueError) as error:
        raise InputError([Fault(str(path), f"cannot be read as JSON: {error}")]) from None
    if not isinstance(found, dict):
        raise InputError([Fault(str(path), "holds no object", allowed="what `planner solve` wrote")])
    form = format_of(found)
    if not isinstance(form, int) or isinstance(form, bool) or not 1 <= form <= FORMAT:
        message = "was written by a newer planner, or is no plan: update planner to read it"
        raise InputError([Fault(str(path), message, None, "format", form, f"1 to {FORMAT}")])
    return found, text


def format_of(document: Mapping[str, Any]) -> Any:
    """Return the version of the form of a document; planner 0.1.0, the first, did not write one."""
    return document.get("format", 1)


def faults_of_files(directory: Path, only: tuple[str, ...] = ()) -> list[Fault]:
    """Say which files of a plan are not those that were written: changed, missing, added.

    Nothing is known of the files of planner 0.1.0, which kept no list: no fault is found of them.

    Parameters
    ----------
    only : names to look at (a folder: all in it), others are left out; empty: every file, also those that were added.

    Raises
    ------
    InputError : plan.json cannot be read.
    """
    document, text = read_document(directory)
    if format_of(document) == 1:
        return []
    faults = []
    seal = seal_of(text)
    if seal is None or seal[0] != seal[1]:
        faults.append(Fault(str(directory / PLAN), "was edited: it no longer has the digest that it states"))
    listed = document.get("files")
    if not isinstance(listed, dict):
        return [*faults, Fault(str(directory / PLAN), "lists no files", column="files")]
    there = set(files_in(directory))
    faults += [
        Fault(str(directory / name), "is listed in plan.json, but no plan has such a file: it was added later")
        for name in sorted(listed)
        if name.split("/")[0] not in DIRECTORY.ours or (name.startswith(INPUT) and not _OF_INPUT.fullmatch(name))
    ]
    for name in sorted(listed):
        if only and name not in only and name.split("/")[0] not in only:
            continue
        if name not in there:
            faults.append(Fault(str(directory / name), "is missing: the plan was written with it"))
        elif not (directory / name).is_file():  # whoever reads a pipe waits for ever
            faults.append(Fault(str(directory / name), "is a pipe or a device, not the file that was written"))
        elif sha256_of(directory / name) != listed[name]:
            faults.append(Fault(str(directory / name), "is not the file that was written with the plan: it was edited "
                                "or belongs to another plan"))  # fmt: skip
    if not only:
        faults += [
            Fault(str(directory / name), "is none of the plan's files: it was added later")
            for name in sorted(there - listed.keys() - {SIGNATURES, COMMITMENTS})
        ]
    return faults


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
    if path.exists() and not path.is_file():
        raise InputError([Fault(str(path), "is not a file")])
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


def faults_of_signing(directory: Path, *, unfinished: bool = False) -> list[Fault]:
    """Say what is wrong with the two files that signing adds: they are edited, missing, or from elsewhere.

    ``unfinished`` : commitments.csv may be missing: signing writes it last, and may have been stopped before.
    """
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
        if unfinished and not path.exists():
            return faults
        faults.append(Fault(str(path), "is missing: it belongs to the signature; planner accept writes it again"))
    elif wanted is not None and sha256_of(path) != wanted:
        faults.append(Fault(str(path), "is not what planner accept wrote: it was edited"))
    return faults
