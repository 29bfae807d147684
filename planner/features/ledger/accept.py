"""Signing a plan: an entry in the ledger, and its purchases as earlier commitments for what comes next."""

import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from planner.errors import AuditError, PlannerError
from planner.features.ledger.chain import Bought, Entry, OpenLedger, money, opened_locked, read_ledger
from planner.features.ledger.evidence import hashes, refuse_changed, seen_from, unlisted
from planner.features.ledger.next_folder import Additions, Signed, additions, commitment_row, read_next
from planner.io.atomic import locked, sweep, undisturbed, written_beside
from planner.io.digest import FORMAT, sha256_of, sha256_of_bytes
from planner.io.together import changed_together
from planner.plan.audit.findings import OF_PROOF, STRESS, broken_rules, one_a_rule
from planner.plan.finished import Finished, load_finished
from planner.plan.manifest import (
    COMMITMENTS,
    PLAN,
    SIGNATURES,
    Mark,
    Signatures,
    faults_of_files,
    faults_of_signing,
    read_signatures,
    write_signatures,
)
from planner.plan.orders import Owed, order_lines, owed_after
from planner.plan.plan import Status
from planner.plan.pricing import spent_of
from planner.plan.reading import Reading
from planner.readers.csv_files import as_table
from planner.schema.capacity import Offer
from planner.schema.contracts import SpendCommitment
from planner.verify.claims import Reports, figure_findings
from planner.verify.growth_margins import margins_of
from planner.verify.trusted import audited_findings, proved_findings


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
    above_best_usd : how much dearer than the cheapest possible plan the signed one can be, as proved.
    """

    entry: Entry
    signed: bool
    written: Path | None
    added: tuple[Owed, ...]
    there: tuple[Owed, ...]
    ended: tuple[Owed, ...]
    notes: tuple[str, ...]
    above_best_usd: float


def accept(
    directory: Path, ledger: Path, signature: Signature, into: Path | None = None, reports: Reports | None = None
) -> Accepted:
    """Sign the plan of a directory.

    First everything is checked, then the entry is written, then the commitments. If that is interrupted after the
    entry, the same call again writes the commitments only.

    Parameters
    ----------
    directory : what `planner solve` or `planner price` wrote.
    ledger : file that the entry goes to; begun if absent.
    into : next planning folder; None: the commitments are written to ``commitments.csv`` in `directory`.
    reports : what checks workbook and page against the plan's figures (`workbook.as_written`).

    Raises
    ------
    InputError : the plan, its input or the next folder is damaged, or does not fit.
    AuditError : the plan breaks a rule, or does not add up.
    PlannerError : it was signed by the same person already and nothing is left to write; the ledger does not hold.
    """
    for path, what in ((ledger, "a ledger"), (into, "the next folder")):
        if path is not None and path.resolve().is_relative_to(directory.resolve()):
            raise PlannerError(f"{path}: {what} inside the plan's directory would become part of what is signed, which "
                               "must not change: keep it elsewhere")  # fmt: skip
    if into is not None:
        read_next(into)  # its faults first, before anything is locked
    load_finished(directory)
    ledger.resolve().parent.mkdir(parents=True, exist_ok=True)
    places = [directory.resolve().parent, ledger.resolve().parent, *([] if into is None else [into])]
    with locked(*places):
        return _accept(load_finished(directory), ledger, signature, into, reports)


def _accept(
    finished: Finished, ledger: Path, signature: Signature, into: Path | None, reports: Reports | None
) -> Accepted:
    """Do what `accept` does; nobody else writes the plan, the ledger or the next folder."""
    directory = finished.directory
    sweep(directory)
    refuse_changed(directory, [*faults_of_files(directory), *faults_of_signing(directory, unfinished=True)])
    refuse_broken(finished, reports)
    owed = owed_after(finished.case, finished.plan)
    files = hashes(directory)
    with opened_locked(ledger) as book:
        earlier = [e for e in book.ledger.entries if e.plan_sha256 == files[PLAN]]
        mine = next((e for e in earlier if e.by == signature.by), None)
        signed = Signed(finished.plan.name, files[PLAN], finished.plan.input_digest,
                        str(earlier[0].date if earlier else signature.date))  # fmt: skip
        found = _beside(directory, owed, signed) if into is None else additions(
            finished.case, owed, read_next(into), signed)  # fmt: skip
        rows = [commitment_row(o, o.offer.offer, signed) for o in owed]
        table = sha256_of_bytes(as_table(rows)) if rows else None
        before = read_signatures(directory)
        if (
            before is not None
            and (into is not None or table != before.commitments_sha256)
            and _stands(before, directory)
        ):
            refuse_changed(directory, faults_of_signing(directory))
        entry = mine or _entry(finished, files, book, ledger, signature).model_copy(
            update={"commitments_sha256": table, "commitments_beside": into is None and table is not None}
        )
        path = directory / COMMITMENTS
        marks = _marks(before, entry, ledger, directory)
        if mine is not None and not found.added and before is not None and marks == before.marks:
            raise PlannerError(_nothing_left(mine, into, ledger))
        beside = table if into is None or (path.is_file() and sha256_of(path) == table) else None

        def sign() -> None:
            # first the mark: a plan that the ledger lists is never one that its directory calls unsigned
            write_signatures(Signatures(files[PLAN], beside, marks), directory / SIGNATURES)
            if mine is None:
                try:
                    book.append(entry)
                except Exception:  # not signed: the directory must not say so
                    _unmark(before, directory)
                    raise

        with undisturbed():  # whatever may fail for want of room comes before the signature
            if into is None:
                with ExitStack() as staged:
                    for path, content in found.files(directory).items():
                        staged.enter_context(written_beside(path)).write_bytes(content)
                    sign()
            else:
                with changed_together(into, COMMITMENTS, before=sign) as new:
                    for path, content in found.files(into).items():
                        (new / path.name).write_bytes(content)
    held = [*book.ledger.entries, *([] if mine is not None else [entry])]
    notes = [*found.notes, *_contracts(finished, into), *_alternatives(book, entry), *unlisted(ledger, held)]
    return Accepted(entry, mine is None, _written(found, directory, into), found.added, found.there, found.ended,
                    tuple(notes), finished.plan.judged_usd - finished.plan.proof.bound_usd)  # fmt: skip


def _unmark(before: Signatures | None, directory: Path) -> None:
    """Take a mark back; on a full disk, where the earlier marks cannot be written, it stays and the ledger says so."""
    if before is None:
        (directory / SIGNATURES).unlink(missing_ok=True)
    else:
        with suppress(OSError):
            write_signatures(before, directory / SIGNATURES)


def _stands(before: Signatures, directory: Path) -> bool:
    """Whether a signature that a directory holds counts: its ledger has it, or is not there to ask."""
    ledgers = ((mark, mark.ledger_of(directory)) for mark in before.marks)
    return any(not path.is_file() or read_ledger(path).find(mark.sha256) is not None for mark, path in ledgers)


def _marks(before: Signatures | None, entry: Entry, ledger: Path, directory: Path) -> tuple[Mark, ...]:
    """Every signature that the directory holds, and this one; one that its ledger does not hold is dropped."""
    mine = Mark(seen_from(directory, ledger), entry.entry, entry.sha256, entry.by, str(entry.date))
    marks = []
    for mark in () if before is None else before.marks:
        other = mark.ledger_of(directory)
        if mark == mine or not other.is_file() or read_ledger(other).find(mark.sha256) is not None:
            marks.append(mark)
    return tuple(marks) if mine in marks else (*marks, mine)


def refuse_broken(finished: Finished, reports: Reports | None = None) -> None:
    """Refuse a plan that breaks a rule, or whose bound its prices do not prove.

    An order that was priced need not be the best plan. ``reports`` : as in `accept`.
    """
    given = finished.plan.proof.status == Status.GIVEN
    reading = Reading(finished.case, finished.plan)
    findings = audited_findings(reading)
    broken = broken_rules(findings, margins_of(reading), reading.names)
    proof = proved_findings(reading)
    if not broken and not findings and not proof:  # else figures mean nothing
        proof = figure_findings(finished.directory, reading, reports)
    others = [f for f in findings if f.rule in OF_PROOF and not given] + proof
    if not any(rule.rule == STRESS for rule in broken):
        others += [f for f in findings if f.rule == STRESS]  # the witness is wrong, although every case can be served
    broken = (*broken, *one_a_rule(others))
    if broken:
        remedy = "change the order, or the policy, and price it again" if given else "solve it again"
        head = f"{finished.directory}: the plan fails its audit and cannot be signed; {remedy}:"
        raise AuditError("\n".join([head, *(f"  {rule}" for rule in broken)]))


def _entry(finished: Finished, files: Mapping[str, str], book: OpenLedger, ledger: Path, signature: Signature) -> Entry:
    plan = finished.plan
    lines = order_lines(finished.case, plan)
    return Entry(
        format=FORMAT,
        entry=len(book.ledger.entries) + 1,
        previous=book.ledger.head,
        date=signature.date,
        by=signature.by,
        note=signature.note,
        plan=plan.name,
        directory=seen_from(ledger.resolve().parent, finished.directory),
        first_month=finished.case.months[0],
        last_month=finished.case.months[1],
        status=plan.proof.status,
        input_sha256=plan.input_digest,
        plan_sha256=files[PLAN],
        total_usd=money(plan.totals.total_usd),
        committed_horizon_usd=money(sum(n.horizon_usd for n in lines)),
        committed_term_usd=money(sum(n.term_usd for n in lines)),
        bought=tuple(
            Bought(offer=n.offer.offer, pool=n.offer.pool, region=n.region, units=n.units, start=n.start, end=n.end,
                   usd_per_unit_hour=n.offer.usd_per_unit_hour, horizon_usd=money(n.horizon_usd),
                   term_usd=money(n.term_usd), **_upfront(n.offer))
            for n in lines
        ),
        files=dict(files),
    )  # fmt: skip


def _upfront(offer: Offer) -> dict[str, float]:
    """Return the upfront price where there is one: planners that do not know it read the other entries."""
    return {"upfront_usd_per_unit": offer.upfront_usd_per_unit} if offer.upfront_usd_per_unit else {}


def _beside(directory: Path, owed: tuple[Owed, ...], signed: Signed) -> Additions:
    """Everything owed as a table of commitments in the plan's own directory; one that is there is never overwritten."""
    path = directory / COMMITMENTS
    rows = [commitment_row(o, o.offer.offer, signed) for o in owed]
    if not rows:
        return Additions()
    if path.exists():
        if path.read_bytes() != as_table(rows):
            raise PlannerError(f"{path} already exists with other contents and is not overwritten: move it away first")
        return Additions(there=owed)
    return Additions({"commitments": rows}, added=owed)


def _nothing_left(mine: Entry, into: Path | None, ledger: Path) -> str:
    held = f", and {into} holds what it owes" if into is not None else ""
    return (f"{mine.plan} was already signed by {mine.by} on {mine.date} (entry {mine.entry} of {ledger}){held}: "
            "nothing was written, because it would be owed twice")  # fmt: skip


def _contracts(finished: Finished, into: Path | None) -> list[str]:
    """Say what the plan spends of each spend commitment: what is left afterwards is entered by hand."""
    case = finished.case
    if not case.spend_commitments:
        return []
    there = [] if into is None else read_next(into).of("spend_commitments", SpendCommitment)
    asked = {row.contract: row.usd for row in there}
    notes = []
    spent = spent_of(Reading(case, finished.plan)).expected_usd.sum(axis=1)
    for c, usd in zip(case.spend_commitments, spent.tolist(), strict=True):
        last = case.periods[case.contract_periods(c)[-1]].name
        text = f"spend commitment {c.contract}: this plan spends ${usd:,.2f} of its ${c.usd:,.2f} by the end of {last}"
        if c.contract in asked:
            text += f"; {into} asks for ${asked[c.contract]:,.2f} of it: that must be what is left for its months"
        else:
            text += "; what is left of the contract after that is not written: enter it into spend_commitments.csv"
        notes.append(text)
    return notes


def _alternatives(book: OpenLedger, entry: Entry) -> list[str]:
    """Other plans of the same input that are signed: both would be bought."""
    return [
        f"entry {e.entry} ({e.by}, {e.date}) signs another plan of the same input: together they buy twice, unless "
        "this one replaces it"
        for e in book.ledger.entries
        if e.input_sha256 == entry.input_sha256 and e.plan_sha256 != entry.plan_sha256
    ]


def _written(found: Additions, directory: Path, into: Path | None) -> Path | None:
    if into is not None:
        return into
    return directory / COMMITMENTS if found.added or found.there else None
