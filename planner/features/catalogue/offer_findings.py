"""What a careful buyer checks again in a folder of offers: age, expiring promotions, retirements, doubtful figures."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from planner.features.catalogue.far_prices import far_prices
from planner.features.catalogue.published import Catalogue, Rate
from planner.plan.warnings.prices import price_doubts
from planner.schema.case import Case

FAR = "far-price"


@dataclass(frozen=True)
class OfferFinding:
    """One thing to look at; `code` names the rule."""

    code: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}. {self.remedy}."


def review(case: Case, catalogue: Catalogue, today: dt.date) -> list[OfferFinding]:
    """All findings, in the order of the rules."""
    return [
        *(OfferFinding(FAR, f.table, f.message, f.remedy) for f in far_prices(case, catalogue)),
        *(OfferFinding(d.code, d.table, d.message, d.remedy) for d in price_doubts(case, today)),
        *_promotions(case, catalogue),
        *_retirements(case, catalogue),
        *_no_capacity(case, catalogue),
    ]


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


def _promotions(case: Case, catalogue: Catalogue) -> list[OfferFinding]:
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
            found.append(OfferFinding("promotion-ends", f"on_demand {row.region}", message, f"Plan with {listed}"))
    for price in catalogue.prices:
        mine = served.get((price.provider, price.model), [])
        if price.promo_until is not None and mine and price.promo_until >= case.periods[0].start:
            message = f"{price.model}, {price.term}: a credit ends on {price.promo_until}, inside the term"
            found.append(OfferFinding("promotion-ends", "offers", message, "Count the price without it from that day"))
    return found


def _retirements(case: Case, catalogue: Catalogue) -> list[OfferFinding]:
    found, served = [], _served(case)
    sold = {(_provider_of(case)[row.region], row.model) for row in case.on_demand} | set(served)
    for model in catalogue.models:
        key = (model.provider, model.model)
        if model.retires_on is None or key not in sold:
            continue
        if model.retires_on < case.periods[-1].end:
            message = f"{model.model} retires on {model.retires_on}, before the plan ends"
            found.append(OfferFinding("retires", model.provider, message, "Move its workloads to another model in mix"))
            continue
        outlived = sorted({offer for offer, end in served.get(key, []) if end > model.retires_on})
        if outlived:
            names = ", ".join(outlived[:3]) + (f" and {len(outlived) - 3} more" if len(outlived) > 3 else "")
            message = f"{model.model} retires on {model.retires_on}, before a term of {names} may end"
            remedy = "Make sure another model can use the units, or buy a shorter term"
            found.append(OfferFinding("retires", model.provider, message, remedy))
    return found


def _no_capacity(case: Case, catalogue: Catalogue) -> list[OfferFinding]:
    loose = {p.provider for p in catalogue.products if p.sold and not p.holds_capacity}
    provider, bought = _provider_of(case), {offer.pool for offer in case.offers}
    pools = [p.pool for p in case.pools if provider[p.region] in loose and p.pool in bought]
    if not pools:
        return []
    names = ", ".join(pools[:3]) + (f" and {len(pools) - 3} more" if len(pools) > 3 else "")
    message = f"a reservation here ({names}) is a discount and holds no capacity; quota holds none either"
    remedy = "Deploy the units first; when the deployment stands, reserve the same number in the same region and type"
    return [OfferFinding("no-capacity", "offers", message, remedy)]
