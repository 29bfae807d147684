"""What assembled rows show by themselves: which columns they touch, with which signs, and whether a plan keeps them.

Nothing here is declared by a family: it is read from the entries, so that it cannot be forgotten or wrong.
"""

from collections.abc import Iterable

import numpy as np

from planner.model.columns import Columns, columns_of
from planner.model.family import Family, Reduction
from planner.model.objective import terms_of
from planner.model.program import LinearProgram, families_of
from planner.model.rows import Rows
from planner.model.sets import Bools, Floats, Ints, Sets

KEPT = 1e-7  # of a row's largest term: what rounding may break
TOUCHED = {
    Reduction.SCENARIOS: ("flows",),
    Reduction.SLOTS: ("flows",),
    Reduction.ARCS: ("flows",),
    Reduction.SIZES: ("capacity",),
    Reduction.FOLLOWS: ("committed",),
}  # the columns that a reduction changes
PRICED = (Reduction.SLOTS, Reduction.ARCS)  # those whose argument is about prices too


def columns_named(at: Columns, name: str) -> Bools:
    """Whether each column is one of a kind: flows, committed, capacity (x, v, u) or sizes (switches and steps).

    Work that waits counts as flows.
    """
    found = np.zeros(at.count, bool)
    if name == "flows":
        found[at.hours_first :] = True
    if name in ("committed", "capacity"):
        found[at.committed] = True
    if name == "capacity":
        found[at.deployed] = True
        found[at.unreserved[at.unreserved >= 0]] = True
    if name == "sizes":
        found[at.size_on[at.size_on >= 0]] = True
        found[at.size_steps[at.size_steps >= 0]] = True
    return found


def touches(rows: Rows, mask: Bools) -> bool:
    """Whether some entry of the rows stands in one of the columns."""
    return bool(mask[rows.column[rows.value != 0]].any())


def lowering_hurts(rows: Rows, mask: Bools) -> bool:
    """Whether a smaller value of some of the columns can break a row that was kept."""
    own = mask[rows.column]
    value, row = rows.value[own], rows.row[own]
    return bool(((value > 0) & np.isfinite(rows.lower[row]) | (value < 0) & np.isfinite(rows.upper[row])).any())


def refusing(sets: Sets, reduction: Reduction) -> tuple[str, ...]:
    """Families and cost terms that touch what a reduction changes and do not claim that its argument holds for them.

    Only those without the claim are stated. A row that smaller sizes cannot break needs no claim for them, and since no
    cost is negative, nor does a price.
    """
    silent = [family for family in families_of(sets) if reduction not in family.allows]
    terms = [term for term in terms_of(sets) if reduction not in term.allows and reduction in PRICED]
    if not silent and not terms:
        return ()
    at = columns_of(sets)
    mask = _touched(at, reduction)
    priced = [term.name for term in terms if term.usd(sets, at)[mask].any()]
    return (*refused_by(silent, [], sets, at, reduction), *priced)


def refused_by(
    families: Iterable[Family], stated: Iterable[Rows], sets: Sets, at: Columns, reduction: Reduction
) -> tuple[str, ...]:
    """Return `refusing` where columns, and maybe some rows, are known already."""
    known = {rows.family: rows for rows in stated}
    found = []
    for family in families:
        if reduction in family.allows:
            continue
        rows = known[family.name] if family.name in known else family.rows(sets, at)
        mask = _touched(at, reduction)
        hurts = lowering_hurts(rows, mask) if reduction is Reduction.SIZES else touches(rows, mask)
        if hurts:
            found.append(family.name)
    return tuple(found)


def _touched(at: Columns, reduction: Reduction) -> Bools:
    """Whether each column is one that a reduction changes."""
    touched: Bools = np.logical_or.reduce([columns_named(at, name) for name in TOUCHED[reduction]])
    return touched


def broken(rows: Rows, values: Floats, scale: Floats) -> Ints:
    """Rows that a plan breaks by more than rounding: KEPT of the largest of its terms, its bound and its usual terms.

    ``scale`` : size of a usual value of each column.
    """
    if not rows.count:
        return np.empty(0, np.int64)
    terms = rows.value * values[rows.column]
    is_: Floats = np.bincount(rows.row, terms, rows.count).astype(float)
    size = np.zeros(rows.count)
    np.maximum.at(size, rows.row, np.maximum(np.abs(terms), np.abs(rows.value) * scale[rows.column]))
    for bound in (rows.lower, rows.upper):
        size = np.maximum(size, np.where(np.isfinite(bound), np.abs(bound), 0.0))
    room = KEPT * size
    return np.flatnonzero((is_ < rows.lower - room) | (is_ > rows.upper + room))


def breaks(program: LinearProgram, values: Floats, scale: Floats, without: Reduction | None = None) -> tuple[str, ...]:
    """Families whose rows some values break; ``without``: only families that do not claim that reduction."""
    names = {f.name for f in families_of(program.sets) if without is None or without not in f.allows}
    return tuple(r.family for r in program.families if r.family in names and len(broken(r, values, scale)))


def on_purchases(sets: Sets) -> tuple[Family, ...]:
    """Families with rows on purchases alone: what is bought decides whether they are kept."""
    at = columns_of(sets)
    bought = columns_named(at, "committed")
    stated = [(family, family.rows(sets, at)) for family in families_of(sets)]
    return tuple(family for family, rows in stated if len(rows.column) and bought[rows.column].all())


def rules_on_sizes(sets: Sets) -> tuple[str, ...]:
    """Families, the size rules apart, with rows on switches or steps: they count sizes, not units."""
    silent = [family for family in families_of(sets) if Reduction.FOLLOWS not in family.allows]
    if not silent or not sets.has_size_rules:
        return ()
    at = columns_of(sets, True)
    mask = columns_named(at, "sizes")
    return tuple(family.name for family in silent if touches(family.rows(sets, at), mask))


def prices_on_sizes(sets: Sets) -> tuple[str, ...]:
    """Cost terms that price switches or steps: a fee for a purchase, whatever its size."""
    silent = [term for term in terms_of(sets) if Reduction.FOLLOWS not in term.allows]
    if not silent or not sets.has_size_rules:
        return ()
    at = columns_of(sets, True)
    mask = columns_named(at, "sizes")
    return tuple(term.name for term in silent if term.usd(sets, at)[mask].any())
