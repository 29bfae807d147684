"""ORDER.md: what to do with the files, in which order: deploy, then reserve, then route; and what is done by hand."""

from collections.abc import Iterable, Sequence

from planner.features.hand_over.handed import Bought, HandOver, Reserved
from planner.features.hand_over.sellers import AWS, AZURE, DIRECT, GOOGLE, Means, aws_region
from planner.features.hand_over.terraform import aws_by_terraform, azure_bought
from planner.features.tasks.chargeback import NO_TEAM
from planner.plan.orders import OrderLine
from planner.schema.settings import Period
from planner.units import counted
from planner.workbook.text_tables import amount, clean, usd

_TITLES = {AZURE: "Azure", AWS: "AWS", GOOGLE: "Google", "openai": "OpenAI", "xai": "xAI", "deepseek": "DeepSeek"}


def order_of_things(handed: HandOver, header: str, *, terraform: bool) -> str:
    """Write the page. terraform : whether there are Terraform files."""
    case = handed.case
    parts = [
        f"# Hand-over of {_text(handed.finished.plan.name)}",
        header,
        _before(handed, terraform=terraform),
        *(_month(handed, k, period, terraform=terraform) for k, period in enumerate(case.periods)),
        _names(handed),
        _limits(handed),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(text: object) -> str:
    """Return text as it can stand in a table of Markdown."""
    plain = clean(text, 200)
    for character in "\\`|*_<>[]#":
        plain = plain.replace(character, f"\\{character}")
    return plain


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _before(handed: HandOver, *, terraform: bool) -> str:
    steps = ["Read every file. planner has executed nothing, and knows no account, key or address of yours."]
    if terraform:
        steps.append(
            "`terraform/`: write a `terraform.tfvars` for the variables of `variables.tf`. Deployments that exist "
            "already (those of earlier commitments) are imported first (`terraform import`), or they would be "
            "created twice."
        )
    steps.append(
        "`litellm/`: set the variables of the environment that the files name (`os.environ/...`). Create a LiteLLM "
        "team for each name under `ptu_shares` of `flat-cost.yaml` (`/team/new` takes a `team_id`), or replace the "
        "names by your teams' ids; then start the proxy with `LITELLM_ENABLE_PTU_COST_ATTRIBUTION=True`."
    )
    if any(not w.team for w in handed.case.workloads):
        steps.append(
            f"Some workloads name no team: their share of the flat cost is that of `{NO_TEAM.replace(' ', '-')}`."
        )
    return "## Before\n\n" + "\n".join(f"{k}. {step}" for k, step in enumerate(steps, start=1))


def _month(handed: HandOver, k: int, period: Period, *, terraform: bool) -> str:
    month = period.name
    parts = [f"## {month}, from {period.start}"]
    steps: list[str] = []
    azure = [r for r in handed.reserved if r.kind.means is Means.AZURE]
    lines = [line for line in handed.lines if line.period == month]
    applied = [line for line in aws_by_terraform(handed) if line.period == month]
    early = [line for line in lines if line not in applied and not _is_azure(handed, line)]
    if early:
        steps.append("**Order what holds capacity**, and wait until it is active." + _orders(early))
    if terraform and (azure or applied or (k == 0 and azure_bought(handed))):
        words = "**Deploy.** `terraform plan -var month=" + month + "`, read it, then `terraform apply` of that plan."
        if azure:
            words += " Needed: " + ", ".join(_quota(handed, azure, month)) + "."
        words += _changes(handed, azure, k)
        if applied:
            words += "\n\n   To apply `aws.tf` is to buy, for a whole term:" + _orders(applied)
        steps.append(words)
    reserve = [line for line in lines if _is_azure(handed, line)]
    if reserve:
        steps.append(
            "**Then reserve.** Only now, and at most the units that were really deployed: a reservation is a discount "
            "on deployed units and holds no capacity; until it is bought they cost the hourly price. "
            + _orders(reserve)
        )
    by_hand = _by_hand(handed, k)
    if by_hand:
        steps.append("**Set up by hand:**" + by_hand)
    steps.append(f"**Route.** Load `litellm/{month}.yaml`. It sends requests to reserved units first; what they refuse "
                 "goes on demand, then to what serves it while a region is lost.")  # fmt: skip
    ending = [o for o in handed.owed if period.start < o.end <= period.end]
    if ending:
        rows = [(str(o.end), _text(o.offer.offer), _text(o.region), amount(o.units)) for o in ending]
        table = _indented(_table(("First day without", "Offer", "Region", "Units"), rows))
        steps.append(
            "**Ends in this period**, unless it is renewed: switch automatic renewal off where the plan does not buy "
            "it again.\n\n" + table
        )
    parts.append("\n\n".join(f"{n}. {step}" for n, step in enumerate(steps, start=1)))
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())


def _is_azure(handed: HandOver, line: OrderLine) -> bool:
    return any(r.pool == line.offer.pool and r.kind.means is Means.AZURE for r in handed.reserved)


def _orders(lines: Sequence[OrderLine]) -> str:
    rows = [
        (_text(n.offer.offer), _text(n.offer.product or n.offer.pool), _text(n.region), amount(n.units),
         n.offer.term_text, str(n.start), f"{n.usd_per_unit_hour:,.6g}", usd(n.term_usd))
        for n in lines
    ]  # fmt: skip
    heads = ("Offer", "Product", "Region", "Units", "Term", "From", "USD per unit-hour", "Whole term")
    return "\n\n" + _indented(_table(heads, rows))


def _quota(handed: HandOver, azure: Sequence[Reserved], month: str) -> list[str]:
    """Say which quota of units each region needs."""
    total: dict[str, int] = {}
    for r in azure:
        total[r.region] = total.get(r.region, 0) + r.whole(month)
    return [f"quota for {counted(n, 'unit', ',')} in {_text(region)}" for region, n in sorted(total.items()) if n]


_SHRINK = "\n\n   Units shrink: load the router's file of this period first (Route), then "


def _changes(handed: HandOver, azure: Sequence[Reserved], k: int) -> str:
    months = handed.months
    rows = []
    for r in azure:
        now, before = r.whole(months[k]), r.whole(months[k - 1]) if k else 0
        if now or before:
            change = f"{now - before:+,}" if k and now != before else ""
            rows.append((_text(r.name), _text(r.model), _text(r.region), f"{now:,}", change))
    if not rows:
        return ""
    table = _indented(_table(("Deployment", "Model", "Region", "Units", "Change"), rows))
    return "\n\n" + table + (_SHRINK + "apply." if any(row[4].startswith("-") for row in rows) else "")


def _by_hand(handed: HandOver, k: int) -> str:
    """List the units of a period that no file sets up, and what changes; empty: none is or was."""
    months = handed.months
    rows, less = [], False
    for r in (r for r in handed.reserved if r.kind.means is Means.OWN):
        now, before = r.most(months[k]), r.most(months[k - 1]) if k else 0.0
        if now > 0 or before > 0:
            more = amount(now - before) if k else "0"
            change = "" if more in ("0", "-0") else f"+{more}" if now > before else more
            less = less or change.startswith("-")
            model = "all models" if r.model == "*" else _text(r.model)
            rows.append((_text(r.pool), _text(r.region), model, amount(now), change))
    if not rows:
        return ""
    table = _indented(_table(("Pool", "Region", "Model", "Units", "Change"), rows))
    return "\n\n" + table + (_SHRINK + "set them up." if less else "")


def _names(handed: HandOver) -> str:
    """List the names that machines take for the plan's."""
    rows = [(f"`{r.name}`", _text(r.pool), "all models" if r.model == "*" else _text(r.model), _text(r.region),
             _means(r)) for r in handed.reserved]  # fmt: skip
    means = {b.name: _text(Means.AZURE) if b.seller == AZURE else "nothing to set up" for b in handed.bought}
    rows += [(f"`{b.name}`", f"{_text(b.row.option)} (on demand)", _text(b.row.model), _text(b.region), means[b.name])
             for b in handed.bought]  # fmt: skip
    return "## Names\n\n" + _table(("Deployment", "Pool or option", "Model", "Region", "Set up by"), rows)


def _means(r: Reserved) -> str:
    if r.kind.means is Means.ORDER:
        return f"an order with {_TITLES.get(r.kind.seller, r.kind.seller.capitalize())}: no Terraform resource"
    return _text(r.kind.means)


def _limits(handed: HandOver) -> str:
    """Say what the files cannot do."""
    told = []
    odd = [r for r in handed.reserved if any(abs(r.most(m) - round(r.most(m))) > 1e-6 for m in handed.months)]
    if odd:
        told.append("Units are not whole in this plan; the files round them up, which costs more than the plan.")
    if any(isinstance(b, Bought) and b.waits for b in handed.bought):
        told.append("Options that take hours to answer (batch) are in no group: they take jobs, not requests.")
    if any(r.kind.seller == "" or r.kind.seller not in (AZURE, AWS, GOOGLE, *DIRECT) for r in handed.reserved):
        told.append("Sellers that planner does not know are called as OpenAI-compatible servers (`openai/MODEL` with "
                    "an address of its own).")  # fmt: skip
    if any(r.kind.seller == AWS and aws_region(r.region) is None for r in handed.reserved):
        told.append("An AWS region whose name does not hold it is a variable.")
    told.append("Weights are shares of the month. Hour by hour the plan routes better than a router with fixed "
                "weights; `dispatch.parquet` has its hours.")  # fmt: skip
    told.append("An application asks for `workload/origin/model`. Which of its requests go to which model is its own "
                "decision; the plan's shares are in `hand-over.json`.")  # fmt: skip
    if len({w.deadline_hours for w in handed.case.workloads}) > 1:
        told.append(
            "Work that can wait is sent by its own scheduler, when units are free; a router does not hold it back."
        )
    return "## What the files do not do\n\n" + "\n".join(f"- {line}" for line in told)
