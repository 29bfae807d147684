"""What the catalogue's tests start from: the catalogue itself, read once, and the command line run in this process."""

import datetime as dt
import functools

from planner.features.catalogue.break_even import Axes, BreakEven, break_even_rows
from planner.features.catalogue.lookup import endpoint
from planner.features.catalogue.published import Catalogue, catalogue_folder, read_catalogue
from planner.features.catalogue.request import Negotiated, Quote

READ_ON = dt.date(2026, 11, 23)


@functools.cache
def catalogue() -> Catalogue:
    return read_catalogue(catalogue_folder())


def quotes(*told: tuple[str, str, str, float]) -> Negotiated:
    """Quotes of (provider, product, term, USD per unit-hour)."""
    return Negotiated(
        quotes=tuple(Quote(provider=p, product=q, term=t, usd_per_unit_hour=usd) for p, q, t, usd in told)
    )


def u_star(where: str, model: str, term: str, *, ratio=None, cached=0.0, product=None, meter=None, terms=None) -> float:
    """Break-even utilisation of one offer; `where` is provider/type/region, ratio None is input only."""
    at = endpoint(catalogue(), *where.split("/"))
    axes = Axes((cached,), (ratio,))
    found = [
        row
        for row in break_even_rows(
            catalogue(), at, models=[model], axes=axes, terms=terms or Negotiated(), today=READ_ON
        )
        if row.term == term
        and (product is None or row.offer.endswith(f" {product}"))
        and (meter is None or row.meter == meter)
    ]
    assert len(found) == 1, (where, model, term, [vars(row) for row in found])
    value = found[0].break_even_utilisation
    assert value is not None
    return value


def row_of(rows: list[BreakEven], **wanted: object) -> BreakEven:
    (found,) = [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]
    return found
