"""The next planning folder as it stands: the tables that commitments need, and how rows written for a plan name it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from planner.errors import Fault, InputError
from planner.io.together import finish
from planner.plan.orders import Owed
from planner.readers.csv_files import appended, read_small
from planner.readers.raw_tables import read_rows
from planner.readers.settings_file import SETTINGS_FILE, read_settings, read_yaml
from planner.schema.base import Row
from planner.schema.capacity import Commitment, Offer, Pool, Throughput
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.schema.settings import PlanSettings
from planner.schema.workloads import Model, Region
from planner.units import counted, last_day

TABLES: tuple[tuple[str, type[Row]], ...] = (
    ("regions", Region), ("models", Model), ("pools", Pool), ("throughput", Throughput), ("offers", Offer),
    ("commitments", Commitment), ("spend_commitments", SpendCommitment),
)  # fmt: skip
# what a pool sells beside its offers: not where only what is owed brings it into a folder
_ON_SALE = ("usd_per_unreserved_unit_hour", "usd_per_scaled_unit_hour", "max_scaled_units", "start_hours")
_WRITTEN = re.compile("planner accept: (plan [0-9a-f]{16})")
AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class Signed:
    """How the rows that are added name the plan they come from."""

    plan_name: str
    plan_sha256: str
    input_sha256: str
    date: str

    @property
    def source(self) -> str:
        """Text of the column `source`."""
        return f"planner accept: {self.mark} of input {self.input_sha256[:16]} ({self.plan_name})"

    @property
    def mark(self) -> str:
        """What distinguishes the rows of this plan from those of others."""
        return f"plan {self.plan_sha256[:16]}"

    def same_input(self, row: Row) -> bool:
        """Whether a row was written for another plan of the same input."""
        told = row.source or ""
        return f"of input {self.input_sha256[:16]} " in told and self.mark not in told


@dataclass(frozen=True)
class NextFolder:
    """The tables of the next folder that commitments need, as they stand."""

    folder: Path
    settings: PlanSettings
    tables: dict[str, list[tuple[int, Row]]]

    def of(self, table: str, kind: type[AnyRow]) -> list[AnyRow]:
        """Rows of a table."""
        return [row for _, row in self.tables[table] if isinstance(row, kind)]


def read_next(folder: Path) -> NextFolder:
    """Read the tables of the next folder that commitments need; other tables may still be missing.

    Raises
    ------
    InputError : it is no planning folder, or these tables have faults.
    """
    if folder.suffix.lower() in (".xlsx", ".xlsm"):
        message = ("is a workbook, and accept adds rows to the CSV tables of a folder only: accept without --into, and "
                   "copy the rows of PLAN_DIR/commitments.csv into the workbook's sheet commitments")  # fmt: skip
        raise InputError([Fault(str(folder), message)])
    if not folder.is_dir():
        raise InputError([Fault(str(folder), "there is no such folder; make the next planning folder first")])
    finish(folder)
    if not (folder / SETTINGS_FILE).exists():
        message = "is missing: it says which months come next; make the next planning folder first"
        raise InputError([Fault(str(folder / SETTINGS_FILE), message)])
    raw, faults = read_yaml(folder / SETTINGS_FILE)
    settings, found = read_settings(raw)
    faults += found
    tables: dict[str, list[tuple[int, Row]]] = {}
    for name, _ in TABLES:
        path = folder / f"{name}.csv"
        tables[name] = []
        if path.exists():
            try:
                table, found = read_small(path)
                tables[name], more = read_rows(table)
                faults += [*found, *more]
            except InputError as error:
                faults += error.faults
    if faults or settings is None:
        raise InputError([Fault(f"{folder}/{f.place}", f.message, f.row, f.column, f.value, f.allowed) for f in faults])
    return NextFolder(folder, settings, tables)


def mark_of(c: Commitment) -> str:
    """Name the plan that a row was written for; blank: it was typed in."""
    found = _WRITTEN.match(c.source or "")
    return found[1] if found else ""


CLOSED = "closed: kept for an earlier commitment, nothing new can be bought under it"


@dataclass(frozen=True)
class Additions:
    """Rows to add to each table, and what there is to say of it.

    there : commitments that the folder holds already. ended : those that end before its months begin.
    """

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    there: tuple[Owed, ...] = ()
    ended: tuple[Owed, ...] = ()
    added: tuple[Owed, ...] = ()
    notes: tuple[str, ...] = ()

    def files(self, folder: Path) -> dict[Path, bytes]:
        """Return each table's file as it will be, commitments last."""
        return {folder / f"{name}.csv": appended(folder / f"{name}.csv", self.rows[name])
                for name, _ in TABLES if self.rows.get(name)}  # fmt: skip


def additions(case: Case, owed: Sequence[Owed], there: NextFolder, signed: Signed) -> Additions:
    """Find what the next folder lacks of what is owed; what it holds already is never added twice.

    A commitment is there already if a row has the same offer, units, start and end, and was typed in or written for the
    same plan: each row answers for one commitment. An equal row that another plan bought is owed besides.

    Raises
    ------
    InputError : the folder holds the purchases of another plan of the same input, or a name that means another thing.
    """
    horizon = there.settings.horizon.start
    running = [o for o in owed if o.end > horizon]
    faults = _other_plan(there, signed) + _other_meaning(running, there)
    if faults:
        raise InputError(faults)
    left = Counter((c.offer, c.units, c.start, c.end, mark_of(c)) for c in there.of("commitments", Commitment))
    offers = {o.offer: o for o in there.of("offers", Offer)}
    found: list[Owed] = []
    missing: list[tuple[Owed, str]] = []
    notes = []
    for o in running:
        name = _name(o, offers)
        mark = signed.mark if o.earlier is None else mark_of(o.earlier)
        keys = [(n, o.units, o.start, o.end, m) for n in (name, o.offer.offer) for m in (mark, "")]
        key = next((k for k in keys if left[k] > 0), None)
        if key is None:
            missing.append((o, name))
            if name != o.offer.offer:
                now, then = offers[o.offer.offer].usd_per_unit_hour, o.offer.usd_per_unit_hour
                notes.append(f"{o.offer.offer} costs {now:g} USD/unit-hour there, and was signed at {then:g}: owed "
                             f"under an offer of its own, {name}")  # fmt: skip
            continue
        left[key] -= 1
        found.append(o)
        if key[0] != name:
            notes.append(f"{o.offer.offer}, {counted(o.units, 'unit', 'g')} through {last_day(o.end)}: the "
                "folder counts them at its "
                         f"price of {offers[key[0]].usd_per_unit_hour:g}, they were signed at "
                         f"{o.offer.usd_per_unit_hour:g} USD/unit-hour")  # fmt: skip
    rows = _rows(case, missing, there, signed)
    ended = tuple(o for o in owed if o.end <= horizon)
    return Additions(rows, tuple(found), ended, tuple(o for o, _ in missing), tuple(dict.fromkeys(notes)))


def commitment_row(o: Owed, offer: str, signed: Signed) -> dict[str, Any]:
    """Lay out what is owed as a row of the table commitments; an earlier one keeps its source and note."""
    told = {"source": signed.source, "as_of": signed.date} if o.earlier is None else _told(o.earlier)
    return {"offer": offer, "units": o.units, "start": o.start, "end": o.end} | told | {"offer": offer}


def _name(o: Owed, offers: dict[str, Offer]) -> str:
    """Name the offer that the commitment is owed under: its own, or one for its price where the folder's differs."""
    own = offers.get(o.offer.offer)
    if own is None or own.usd_per_unit_hour == o.offer.usd_per_unit_hour:
        return o.offer.offer
    return f"{o.offer.offer} at {o.offer.usd_per_unit_hour!r}"


def _other_plan(there: NextFolder, signed: Signed) -> list[Fault]:
    rows = [number for number, row in there.tables["commitments"] if signed.same_input(row)]
    if not rows:
        return []
    message = ("holds what another plan of the same input bought: owed twice if this one were added; remove those rows "
               "first if this plan replaces it")  # fmt: skip
    return [Fault(f"{there.folder}/commitments.csv", f"{message} (rows {', '.join(map(str, rows))})")]


def _other_meaning(owed: Sequence[Owed], there: NextFolder) -> list[Fault]:
    """Names of the next folder that mean another thing than in the signed plan."""
    faults = {}
    offers = {o.offer: o for o in there.of("offers", Offer)}
    pools = {p.pool: p for p in there.of("pools", Pool)}
    for o in owed:
        same = offers.get(o.offer.offer)
        if same is not None and (same.pool, same.meter) != (o.offer.pool, o.offer.meter):
            message = f"offer {o.offer.offer!r} is of another pool or meter than the one that was signed"
            faults["offers", o.offer.offer] = Fault(f"{there.folder}/offers.csv", message, None, "pool", same.pool,
                                                    f"{o.offer.pool}, meter {o.offer.meter}")  # fmt: skip
        pool = pools.get(o.offer.pool)
        if pool is not None and pool.region != o.region:
            message = f"pool {pool.pool!r} is in another region than the one that was signed"
            faults["pools", pool.pool] = Fault(f"{there.folder}/pools.csv", message, None, "region", pool.region,
                                               o.region)  # fmt: skip
    return list(faults.values())


def _rows(
    case: Case, missing: Sequence[tuple[Owed, str]], there: NextFolder, signed: Signed
) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table that the missing commitments need."""
    offers = {o.offer for o in there.of("offers", Offer)}
    pools = {p.pool for p in there.of("pools", Pool)}
    meters = {(t.pool, t.meter) for t in there.of("throughput", Throughput)}
    models = {m.model for m in there.of("models", Model)}
    regions = {r.region for r in there.of("regions", Region)}
    new: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in TABLES}
    for o, name in missing:
        offer = o.offer
        if name not in offers:
            offers.add(name)
            new["offers"].append(_closed(offer, name))
        if offer.pool not in pools:
            pools.add(offer.pool)
            pool = next(p for p in case.pools if p.pool == offer.pool)
            new["pools"].append(_told(pool) | dict.fromkeys(_ON_SALE))
            if pool.region not in regions:
                regions.add(pool.region)
                new["regions"] += [_told(r) for r in case.regions if r.region == pool.region]
        if (offer.pool, offer.meter) not in meters:
            meters.add((offer.pool, offer.meter))
            served = [t for t in case.throughput if (t.pool, t.meter) == (offer.pool, offer.meter)]
            new["throughput"] += [_told(t) for t in served]
            lacking = {t.model for t in served} - models
            models |= lacking
            new["models"] += [_told(m) for m in case.models if m.model in lacking]
        new["commitments"].append(commitment_row(o, name, signed))
    return new


def _closed(offer: Offer, name: str) -> dict[str, Any]:
    """Cells of an offer under which nothing can be bought."""
    told = [part for part in (offer.note or "").split("; ") if part not in ("", CLOSED)]
    shut = {"offer": name, "min_units": None, "unit_step": None, "max_units": 0.0}
    return _told(offer) | shut | {"note": "; ".join([CLOSED, *told])}


def _told(row: Row) -> dict[str, Any]:
    """Cells of a row that say something: blanks and defaults are left out."""
    return row.model_dump(exclude_none=True, exclude_defaults=True)
