"""Signing a plan: an entry in the ledger, and its purchases as earlier commitments for what comes next."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from planner.errors import AuditError, PlannerError
from planner.features.ledger.append import OpenLedger, opened
from planner.features.ledger.carried import Additions, additions, commitment_row
from planner.features.ledger.entry import Bought, Entry, money
from planner.features.ledger.evidence import COMMITMENTS, hashes, seen_from
from planner.features.ledger.lock import locked
from planner.features.ledger.next_folder import Signed, read_next
from planner.plan.audit import audit
from planner.plan.files import PLAN
from planner.plan.finished import Finished, load_finished
from planner.plan.orders import Owed, order_lines, owed_after
from planner.plan.plan import Status
from planner.readers.csv_files import as_table
from planner.readers.settings import SETTINGS_FILE

_SHOWN = 10


@dataclass(frozen=True)
class Signature:
    """Who signs, when, and what there is to say of it."""

    by: str
    date: dt.date
    note: str | None = None


@dataclass(frozen=True)
class Accepted:
    """What was done.

    entry : the ledger's entry of this signature. signed : whether it was made now (else it was there, and only
    commitments were written). written : the file or folder that holds the commitments now. added, there, ended : what
    is owed and was written, was there already, or ends before the next folder's months. notes : what to know.
    """

    entry: Entry
    signed: bool
    written: Path | None
    added: tuple[Owed, ...]
    there: tuple[Owed, ...]
    ended: tuple[Owed, ...]
    notes: tuple[str, ...]


def accept(directory: Path, ledger: Path, signature: Signature, into: Path | None = None) -> Accepted:
    """Sign the plan of a directory.

    First everything is checked, then the entry is written, then the commitments. If that is interrupted after the
    entry, the same call again writes the commitments only.

    Parameters
    ----------
    directory : what `planner solve` or `planner price` wrote.
    ledger : file that the entry goes to; begun if absent.
    into : next planning folder; None: the commitments are written to ``commitments.csv`` in `directory`.

    Raises
    ------
    InputError : the plan, its input or the next folder is damaged, or does not fit.
    AuditError : the plan breaks a rule, or does not add up.
    PlannerError : it was signed by the same person already and nothing is left to write; the ledger does not hold.
    """
    finished = load_finished(directory)
    _refuse_broken(finished)
    if ledger.resolve().is_relative_to(directory.resolve()):
        raise PlannerError(
            f"{ledger}: a ledger inside the plan's directory would be part of what it signs; keep it outside"
        )
    if into is not None:
        if into.resolve().is_relative_to(directory.resolve()):
            raise PlannerError(
                f"{into}: is part of the plan that is signed, and stays as it is; make the next folder elsewhere"
            )
        read_next(into)  # its faults first, before anything is locked
    owed = owed_after(finished.case, finished.plan)
    files = hashes(directory)
    with opened(ledger) as book:
        earlier = [e for e in book.ledger.entries if e.plan_sha256 == files[PLAN]]
        mine = next((e for e in earlier if e.by == signature.by), None)
        entry = mine or _entry(finished, files, book, ledger, signature)
        signed = Signed(finished.plan.name, files[PLAN], finished.plan.input_digest,
                        str(earlier[0].date if earlier else signature.date))  # fmt: skip
        lock = nullcontext() if into is None else locked(into / SETTINGS_FILE)
        with lock:
            found = _beside(directory, owed, signed) if into is None else additions(
                finished.case, owed, read_next(into), signed)  # fmt: skip
            if mine is not None and not found.added:
                raise PlannerError(_nothing_left(mine, into, ledger))
            target = directory if into is None else into
            with _staged(found.files(target)):
                if mine is None:
                    book.append(entry)
    notes = [*found.notes, *_alternatives(book, entry)]
    return Accepted(entry, mine is None, _written(found, directory, into), found.added, found.there, found.ended,
                    tuple(notes))  # fmt: skip


def _refuse_broken(finished: Finished) -> None:
    """Refuse a plan that breaks a rule; an order that was priced need not be the best one."""
    given = finished.plan.proof.status == Status.GIVEN
    findings = [f for f in audit(finished.case, finished.plan) if not (given and f.rule in ("bound", "status", "gap"))]
    if findings:
        shown = [f"  {f}" for f in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            shown.append(f"  ... and {len(findings) - _SHOWN} more")
        remedy = "change the order, or the policy, and price it again" if given else "solve it again"
        head = f"{finished.directory}: the plan breaks rules and cannot be signed; {remedy}:"
        raise AuditError("\n".join([head, *shown]))


def _entry(finished: Finished, files: Mapping[str, str], book: OpenLedger, ledger: Path, signature: Signature) -> Entry:
    plan, periods = finished.plan, finished.case.periods
    lines = order_lines(finished.case, plan)
    return Entry(
        entry=len(book.ledger.entries) + 1,
        previous=book.ledger.head,
        date=signature.date,
        by=signature.by,
        note=signature.note,
        plan=plan.name,
        directory=seen_from(ledger, finished.directory),
        first_month=periods[0].name,
        last_month=periods[-1].name,
        status=plan.proof.status,
        input_sha256=plan.input_digest,
        plan_sha256=files[PLAN],
        total_usd=money(plan.totals.total_usd),
        committed_horizon_usd=money(sum(n.horizon_usd for n in lines)),
        committed_term_usd=money(sum(n.term_usd for n in lines)),
        bought=tuple(
            Bought(offer=n.offer.offer, pool=n.offer.pool, region=n.region, units=n.units, start=n.start, end=n.end,
                   usd_per_unit_hour=n.offer.usd_per_unit_hour, horizon_usd=money(n.horizon_usd),
                   term_usd=money(n.term_usd))
            for n in lines
        ),
        files=dict(files),
    )  # fmt: skip


def _beside(directory: Path, owed: tuple[Owed, ...], signed: Signed) -> Additions:
    """Everything owed as a table of commitments in the plan's own directory; one that is there is never overwritten."""
    path = directory / COMMITMENTS
    rows = [commitment_row(o, o.offer.offer, signed) for o in owed]
    if not rows:
        return Additions()
    if path.exists():
        if path.read_bytes() != as_table(rows):
            raise PlannerError(f"{path} is there and holds something else; nothing is overwritten: move it away first")
        return Additions(there=owed)
    return Additions({"commitments": rows}, added=owed)


def _nothing_left(mine: Entry, into: Path | None, ledger: Path) -> str:
    held = f", and {into} holds what it owes" if into is not None else ""
    return (f"{mine.plan} was signed already by {mine.by} on {mine.date} (entry {mine.entry} of {ledger}){held}: "
            "nothing was written, for it would be owed twice")  # fmt: skip


def _alternatives(book: OpenLedger, entry: Entry) -> list[str]:
    """Other plans of the same input that are signed: both would be bought."""
    return [
        f"entry {e.entry} ({e.by}, {e.date}) signs another plan of the same input: together they buy twice, unless "
        "this one takes its place"
        for e in book.ledger.entries
        if e.input_sha256 == entry.input_sha256 and e.plan_sha256 != entry.plan_sha256
    ]


def _written(found: Additions, directory: Path, into: Path | None) -> Path | None:
    if into is not None:
        return into
    return directory / COMMITMENTS if found.added or found.there else None


@contextmanager
def _staged(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Write files beside their names; they take them, in this order, when the block has ended well."""
    beside: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            beside[path] = path.with_name(f".{path.stem}.accept{path.suffix}")
            beside[path].write_bytes(content)
        yield
        for path, new in beside.items():
            new.replace(path)
    finally:
        for new in beside.values():
            with suppress(FileNotFoundError):
                new.unlink()
