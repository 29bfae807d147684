"""What a careful buyer looks at again in a folder of offers: age, promises that end, retirements, doubtful figures."""

import datetime as dt
import re
from collections import defaultdict
from dataclasses import dataclass

from planner.features.catalogue.published import Catalogue, Rate
from planner.schema.base import Row
from planner.schema.case import Case

OLD_DAYS = 90
PRICED = ("pools", "throughput", "offers", "on_demand", "routes")
_UNCONFIRMED = re.compile(r"\b(third-party|derived|not confirmed)\b")


@dataclass(frozen=True)
class Finding:
    """One thing to look at; `code` names the rule."""

    code: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}. {self.remedy}."


def review(case: Case, catalogue: Catalogue, today: dt.date) -> list[Finding]:
    """All findings, in the order of the rules."""
    return [
        *_old(case, today),
        *_unconfirmed(case),
        *_promotions(case, catalogue),
        *_retirements(case, catalogue),
        *_no_capacity(case, catalogue),
    ]


def _groups(case: Case) -> dict[tuple[str, str, str], list[Row]]:
    """Rows with figures by table, source and date."""
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for table in PRICED:
        for row in case.rows(table):
            if not (table == "routes" and not getattr(row, "usd_per_gb", 0)):
                found[table, row.source or "", row.as_of or ""].append(row)
    return found


def _old(case: Case, today: dt.date) -> list[Finding]:
    found = []
    for (table, source, as_of), rows in _groups(case).items():
        try:
            age = (today - dt.date.fromisoformat(as_of)).days
        except ValueError:
            message = f"{_rows(rows)} without a date" + (f" ({source})" if source else " and source")
            found.append(Finding("no-date", table, message, "Fill in as_of as 2027-01-31, and source"))
            continue
        if age > OLD_DAYS:
            message = f"{_rows(rows)} of {as_of} ({age} days old): {source}"
            found.append(Finding("old-price", table, message, "Read the price again before you sign"))
    return found


def _unconfirmed(case: Case) -> list[Finding]:
    found = []
    for (table, source, _), rows in _groups(case).items():
        doubtful = [row for row in rows if row.note and _UNCONFIRMED.search(row.note)]
        if doubtful:
            words = sorted({word for row in doubtful for word in _UNCONFIRMED.findall(row.note or "")})
            message = f"{_rows(doubtful)} {' and '.join(words)}: {source}"
            found.append(Finding("unconfirmed", table, message, "Ask the seller for these figures in writing"))
    return found


def _rows(rows: list[Row]) -> str:
    return f"{len(rows)} row{'s' if len(rows) != 1 else ''}"


def _provider_of(case: Case) -> dict[str, str]:
    return {r.region: r.provider or "" for r in case.regions}


def _served(case: Case) -> dict[tuple[str, str], list[tuple[str, dt.date]]]:
    """For each provider and model: its offers and the day on which a term bought last would end."""
    provider = _provider_of(case)
    region = {pool.pool: pool.region for pool in case.pools}
    last = case.periods[-1].start
    found: dict[tuple[str, str], list[tuple[str, dt.date]]] = defaultdict(list)
    for line in case.throughput:
        key = (provider[region[line.pool]], line.model)
        found[key] += [(o.offer, o.term_end(last)) for o in case.offers if o.pool == line.pool]
    return found


def _promotions(case: Case, catalogue: Catalogue) -> list[Finding]:
    found, provider, served = [], _provider_of(case), _served(case)
    promoted = {
        (r.provider, r.model, r.usd_per_mtok_input): r for r in catalogue.on_demand if r.promo_until is not None
    }
    for row in case.on_demand:
        rate: Rate | None = promoted.get((provider[row.region], row.model, row.usd_per_mtok_input))
        if rate is None or rate.promo_until is None:
            continue
        ends = [end for _, end in served.get((rate.provider, rate.model), [])] + [case.periods[-1].end]
        if rate.promo_until < max(ends):
            message = (
                f"the price of {row.model} is promotional, promised to {rate.promo_until}; terms run to {max(ends)}"
            )
            listed = f"USD {rate.list_usd_per_mtok_input:g} per million input tokens without it"
            found.append(Finding("promotion-ends", f"on_demand {row.region}", message, f"Plan with {listed}"))
    for price in catalogue.prices:
        mine = served.get((price.provider, price.model), [])
        if price.promo_until is not None and mine and price.promo_until >= case.periods[0].start:
            message = f"{price.model}, {price.term}: a credit ends on {price.promo_until}, inside the term"
            found.append(Finding("promotion-ends", "offers", message, "Count the price without it from that day"))
    return found


def _retirements(case: Case, catalogue: Catalogue) -> list[Finding]:
    found, served = [], _served(case)
    sold = {(_provider_of(case)[row.region], row.model) for row in case.on_demand} | set(served)
    for model in catalogue.models:
        key = (model.provider, model.model)
        if model.retires_on is None or key not in sold:
            continue
        if model.retires_on < case.periods[-1].end:
            message = f"{model.model} retires on {model.retires_on}, before the plan ends"
            found.append(Finding("retires", model.provider, message, "Move its workloads to another model in mix"))
            continue
        outlived = sorted({offer for offer, end in served.get(key, []) if end > model.retires_on})
        if outlived:
            names = ", ".join(outlived[:3]) + (f" and {len(outlived) - 3} more" if len(outlived) > 3 else "")
            message = f"{model.model} retires on {model.retires_on}, before a term of {names} may end"
            remedy = "Make sure another model can use the units, or buy a shorter term"
            found.append(Finding("retires", model.provider, message, remedy))
    return found


def _no_capacity(case: Case, catalogue: Catalogue) -> list[Finding]:
    loose = {p.provider for p in catalogue.products if p.sold and not p.holds_capacity}
    provider, bought = _provider_of(case), {offer.pool for offer in case.offers}
    pools = [p.pool for p in case.pools if provider[p.region] in loose and p.pool in bought]
    if not pools:
        return []
    names = ", ".join(pools[:3]) + (f" and {len(pools) - 3} more" if len(pools) > 3 else "")
    message = f"a reservation here ({names}) is a discount and holds no capacity; quota holds none either"
    remedy = "Deploy the units first; when the deployment stands, reserve the same number in the same region and type"
    return [Finding("no-capacity", "offers", message, remedy)]
