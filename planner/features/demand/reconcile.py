"""A history beside the provider's bill: tokens and dollars by model and month, the difference, and its likely reasons.

The history's dollars are its tokens at the catalogue's on-demand prices (``usd_per_mtok_*``), standard option:

    Σ tokens · price / 10⁶   [USD], over fresh input, cached input, cache writes and output; a price that is blank is
    that of fresh input.

A bill is a CSV file with a cost and, as far as it has them, a month (or a day) and a model; or one total. A history
reconciles where the two totals differ by at most 1 % of the bill.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.catalogue.published import Catalogue, Rate
from planner.features.demand.engine import embedded, explained, in_order
from planner.features.demand.formats import moments, numbers
from planner.features.demand.formats.cells import flat_name
from planner.features.demand.history import TOKENS, UNKNOWN, History
from planner.features.demand.source_files import SourceFile, look_into
from planner.units import TOKENS_PER_MTOK, counted

TOLERANCE = 0.01  # of the bill
ALL = "all"
COST = (
    "cost", "cost usd", "amount", "amount usd", "usd", "total", "total usd", "spend", "billed cost", "effective cost",
    "unblended cost", "line item unblended cost", "cost in usd", "pre tax cost", "cost in billing currency",
    "amount value",
)  # fmt: skip
TIME = (
    "month", "date", "day", "period", "usage date", "usage date utc", "billing month", "start time", "starting at",
    "charge period start", "line item usage start date", "start",
)  # fmt: skip
MODEL = ("model", "model name", "model version", "line item", "sku meter", "meter name", "description")
CURRENCY = ("currency", "billing currency", "billing currency code", "amount currency", "currency code")
PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "aws": "aws",
    "google": "google",
}
DATE = re.compile(r"[-@]?(?:20\d{2}-?\d{2}-?\d{2})(?:-v\d+)?(?::\d+)?$|-v\d+(?::\d+)?$")


@dataclass(frozen=True)
class BillLine:
    """One model in one month (``all``: not told apart): tokens, and dollars of the history and of the bill."""

    month: str
    model: str
    tokens: float
    usd_history: float | None  # None: the catalogue has no price of this model
    usd_bill: float | None  # None: the bill has no such line

    @property
    def difference_usd(self) -> float:
        """History less bill."""
        return (self.usd_history or 0.0) - (self.usd_bill or 0.0)


@dataclass(frozen=True)
class Reconciliation:
    """A history beside its bill [USD]; ``reasons`` are the likely ones of the difference, the likeliest first."""

    bill: str
    usd_history: float
    usd_bill: float
    lines: tuple[BillLine, ...]
    reasons: tuple[str, ...]

    @property
    def difference_share(self) -> float | None:
        """(history - bill) / bill; None of a bill of 0."""
        return (self.usd_history - self.usd_bill) / self.usd_bill if self.usd_bill else None

    @property
    def reconciles(self) -> bool:
        """Whether the totals differ by at most 1 % of the bill."""
        return abs(self.usd_history - self.usd_bill) <= TOLERANCE * abs(self.usd_bill)

    def as_dict(self) -> dict[str, Any]:
        """Return what history.json keeps."""
        return {**asdict(self), "difference_share": self.difference_share, "reconciles": self.reconciles}


def reconcile(history: History, bill: str, catalogue: Catalogue) -> Reconciliation:
    """Put a history beside a bill.

    Parameters
    ----------
    bill : a CSV file, or a total such as ``1234.56`` [USD].
    catalogue : on-demand prices.

    Raises
    ------
    InputError
        The bill cannot be read, has no cost, or is in another currency than US dollars.
    """
    total = numbers.parsed(numbers.body_of(bill), ".") if not Path(bill).exists() else None
    if total is None and not Path(bill).exists():
        raise InputError([Fault("--against", "is neither a file nor a total in USD", value=bill, allowed="1234.56")])
    if total is not None:
        _need_usd({code} if (code := numbers.currency_of(bill)) else set(), "--against")
    billed = pd.DataFrame([{"month": ALL, "model": ALL, "usd": total}]) if total is not None else _read_bill(Path(bill))
    by_month, by_model = set(billed["month"]) != {ALL}, set(billed["model"]) != {ALL}
    mine = _priced(history, catalogue)
    mine = mine.assign(
        month=mine["month"] if by_month else ALL, key=mine["model"].map(plain_model) if by_model else ALL
    )
    shown = {str(key): str(name) for key, name in mine.groupby("key")["model"].first().items()}
    ours = mine.groupby(["month", "key"], as_index=False)[["tokens", "usd"]].sum(min_count=1)
    keys = [_match(str(name), shown) for name in billed["model"]]
    labels = {**dict(zip(keys, billed["model"], strict=True)), **shown}
    theirs = billed.assign(key=keys).groupby(["month", "key"], as_index=False)[["usd"]].sum()
    both = ours.merge(theirs, on=["month", "key"], how="outer", suffixes=("", "_bill")).sort_values(["month", "key"])
    lines = tuple(
        BillLine(
            str(row["month"]),
            str(labels.get(row["key"], row["key"])) if by_model else ALL,
            0.0 if pd.isna(row["tokens"]) else float(row["tokens"]),
            None if pd.isna(row["usd"]) else float(row["usd"]),
            None if pd.isna(row["usd_bill"]) else float(row["usd_bill"]),
        )
        for row in both.to_dict("records")
    )
    unpriced = sorted(set(mine.loc[mine["usd"].isna(), "model"]))
    usd_history, usd_bill = float(ours["usd"].sum()), float(theirs["usd"].sum())
    reasons = _reasons(history, lines, unpriced=unpriced, mine=mine, ours=usd_history, theirs=usd_bill)
    return Reconciliation(bill if total is not None else Path(bill).name, usd_history, usd_bill, lines, reasons)


def _read_bill(path: Path) -> pd.DataFrame:
    """Return a bill's ``month``, ``model`` and ``usd`` by row; ``all`` where it does not tell."""
    file = look_into(path)
    with embedded() as engine, explained(str(path)):
        table = in_order(engine, file)
    mine = {flat_name(str(name)): str(name) for name in reversed(table.columns)}
    cost, time, model, currency = (
        next((mine[flat_name(name)] for name in names if flat_name(name) in mine), None)
        for names in (COST, TIME, MODEL, CURRENCY)
    )
    if cost is None:
        raise InputError(
            [Fault(str(path), "has no column of costs", column="cost", value=", ".join(map(str, table.columns)))]
        )
    values = _costs(table[cost], cost, file)
    codes = {code for text in table[cost] if (code := numbers.currency_of(str(text)))}
    if currency is not None:
        codes |= {str(code).strip().upper() for code in table[currency] if not numbers.is_blank(code)}
    _need_usd(codes, str(path))
    months: Any = ALL
    if time is not None:
        texts = table[time].where(~table[time].map(numbers.is_blank), None).astype(object)
        texts = texts.map(lambda text: f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", str(text)) else text)
        stamps = moments.parsed(texts.rename(time), str(path))
        wrong = stamps.isna() & texts.notna()
        if wrong.any():
            index = int(wrong.to_numpy().argmax())
            raise InputError(
                [Fault(str(path), "is no month and no date", row=index + 2, column=time, value=texts[index])]
            )
        months = stamps.dt.strftime("%Y-%m").fillna(ALL)
    names = ALL if model is None else table[model].map(lambda name: ALL if numbers.is_blank(name) else str(name))
    rows = pd.DataFrame({"usd": values}).assign(month=months, model=names)
    return rows[~_is_sum(rows)].reset_index(drop=True) if len(rows) > 1 else rows


def _is_sum(rows: pd.DataFrame) -> pd.Series:
    """Tell the line at the foot of a bill that sums the others."""
    last = rows.index == rows.index[-1]
    foot = rows["model"].str.lower().isin((ALL, "total", "sum", "grand total"))
    return pd.Series(last, index=rows.index) & foot & ((rows["usd"] - rows["usd"][:-1].sum()).abs() < 0.01)


def _costs(column: pd.Series, name: str, file: SourceFile) -> pd.Series:
    cells = [
        numbers.TextCell(str(file.path), name, str(text)) for text in column.dropna().unique() if isinstance(text, str)
    ]
    semicolons = ";" in file.head.partition("\n")[0]
    sign = numbers.settled([c for c in cells if not numbers.is_blank(c.text)], semicolons=semicolons, whole=False)
    values = [numbers.parsed(text, sign, money=True) if isinstance(text, str) else text for text in column]
    faults = [
        Fault(str(file.path), "is not a number", row=index + 2, column=name, value=column.iloc[index])
        for index, value in enumerate(values)
        if value is None and not numbers.is_blank(column.iloc[index])
    ]
    if faults:
        raise InputError(faults)
    return pd.Series(values, index=column.index, dtype=float).fillna(0.0)


def _need_usd(codes: set[str], place: str) -> None:
    others = sorted(codes - {"USD"})
    if others:
        said = "is in another currency than the catalogue, which is in USD"
        raise InputError([Fault(place, said, value=", ".join(others), allowed="USD")])


def plain_model(name: str) -> str:
    """Return a model's name without vendor, region and date: ``us.anthropic.claude-x-20260101-v1:0`` is claude-x."""
    text = name.strip().lower().rpartition("/")[2]
    text = re.sub(r"^(?:us|eu|apac|global|jp|au)\.", "", text)
    text = re.sub(r"^(?:anthropic|openai|amazon|meta|google|mistral|cohere|deepseek)\.", "", text)
    return DATE.sub("", text)


def _match(name: str, known: Mapping[str, str]) -> str:
    """Return the key of the history's model that a line of a bill is about: its own name, or the longest within it."""
    if name == ALL:
        return ALL
    own = plain_model(name)
    if own in known:
        return own
    squeezed = re.sub(r"[\s_,]+", "-", name.lower())
    inside = [key for key in known if key and re.search(rf"(?<![a-z0-9.]){re.escape(key)}(?![a-z0-9.])", squeezed)]
    return max(inside, key=len) if inside else own


def _priced(history: History, catalogue: Catalogue) -> pd.DataFrame:
    """Return month, model, tokens and USD [NaN: no price] of the history."""
    rows = history.rows
    provider = next(
        (p for start, p in PROVIDERS.items() if str(history.report.get("format", "")).startswith(start)), None
    )
    table = rows.assign(month=rows["hour"].dt.strftime("%Y-%m"))
    sums = table.groupby(["month", "region", "model"], as_index=False)[list(TOKENS)].sum()
    usd = []
    for row in sums.to_dict("records"):
        rate = rate_of_model(catalogue, str(row["model"]), str(row["region"]), provider)
        usd.append(float("nan") if rate is None else _cost(row, rate))
    return sums.assign(usd=usd, tokens=sums[list(TOKENS)].sum(axis=1))


def _cost(row: Mapping[Any, Any], rate: Rate) -> float:
    cached = rate.usd_per_mtok_cached_input
    written = rate.usd_per_mtok_cache_write
    return float(
        row["input_tokens"] * rate.usd_per_mtok_input
        + row["cached_tokens"] * (rate.usd_per_mtok_input if cached is None else cached)
        + row["written_tokens"] * (rate.usd_per_mtok_input if written is None else written)
        + row["output_tokens"] * rate.usd_per_mtok_output
    ) / TOKENS_PER_MTOK  # fmt: skip


def rate_of_model(catalogue: Catalogue, model: str, region: str, provider: str | None) -> Rate | None:
    """Return the on-demand price of a model: at its region where that names an endpoint, else the widest there is."""
    own = plain_model(model)
    rows = [
        r
        for r in catalogue.on_demand
        if r.option == "standard" and own in (r.model.lower(), plain_model(r.price_key or r.model))
    ]
    mine = [r for r in rows if r.provider == provider] or (rows if provider is None else [])
    named = [r for r in mine if region.startswith(r.provider) and (r.deployment_type in region or not r.region)]
    order = {"global": 0, "datazone": 1, "geo": 1, "regional": 2}
    best = sorted(named or mine, key=lambda r: (r.region not in ("", region), order.get(r.deployment_type, 3)))
    return best[0] if best else None


def _reasons(
    history: History,
    lines: tuple[BillLine, ...],
    *,
    unpriced: list[str],
    mine: pd.DataFrame,
    ours: float,
    theirs: float,
) -> tuple[str, ...]:
    """Return the likely reasons of a difference; none where there is none."""
    if abs(ours - theirs) <= TOLERANCE * abs(theirs):
        return ()
    found = []
    if unpriced:
        found.append(f"the catalogue has no price of {', '.join(unpriced[:5])}: their tokens count nothing here")
    only_bill = sorted({line.model for line in lines if line.usd_bill and line.tokens == 0 and line.model != ALL})
    if only_bill:
        found.append(f"the bill has lines without usage in the history: {', '.join(only_bill[:5])}")
    only_history = sorted(
        {f"{line.model} in {line.month}" for line in lines if line.usd_history and line.usd_bill is None}
    )
    if only_history:
        found.append(f"the history has usage that the bill has no line for: {', '.join(only_history[:5])}")
    first, last = history.rows["hour"].min(), history.rows["hour"].max()
    if first.day > 1 or (last + pd.Timedelta(days=1)).month == last.month:
        found.append(f"the history is of {first:%Y-%m-%d} to {last:%Y-%m-%d}, which are no whole months")
    findings = history.report.get("findings", [])
    out = sum(f["count"] for f in findings if f["action"] == "kept out" and f["rule"] not in ("duplicate", "overlap"))
    if out and ours < theirs:
        found.append(f"{counted(out, 'row was', ',', 'rows were')} kept out of the history, as its findings say")
    if history.report.get("totals", {}).get("cached_tokens") is None and ours > theirs:
        found.append("the history has no cached tokens, so that all input counts at the full price")
    ratio = theirs / ours if ours else 0.0
    for share, words in ((0.5, "a batch discount of 50 %"), (2.0, "a priority tier at twice the price")):
        if ours and abs(ratio - share) < 0.02:
            found.append(f"the bill is {ratio:.2f} times the list price: {words}")
    priced = [line for line in lines if line.usd_history and line.usd_bill]
    ratios = [line.usd_bill / line.usd_history for line in priced if line.usd_bill and line.usd_history]
    if len(ratios) > 1 and max(ratios) - min(ratios) < 0.02:
        found.append(
            f"every line of the bill is {sum(ratios) / len(ratios):.2f} times the list price: your own discount or tax"
        )
    if set(mine["region"]) == {UNKNOWN}:
        found.append("the history has no region: prices are those of the widest endpoint, and others cost more")
    return tuple(found or ["other prices than the catalogue's: a discount, a tier, tax, or charges that are no tokens"])
