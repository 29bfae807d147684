"""What `planner backtest` says and draws."""

from pathlib import Path

import pandas as pd

from planner.features.demand.backtest.walk import CLAIRVOYANT, NOTHING
from planner.features.demand.charts import ACCENT, BAND, QUIET, figure, save
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, counted

LEAST_WEEKS = 8
TIE = 0.02  # of what could be won: a smaller difference is a tie
PAST_THE_END = "What a commitment costs and serves after the history's end is not counted, for every rule alike."
LEGEND = (
    "savings: 1 - cost / all on demand; coverage: committed share of the demand; utilisation: used share of what is "
    "committed; of clairvoyant: savings over the clairvoyant plan's; regret: cost above the clairvoyant plan's, as a "
    "share of it."
)
COLUMNS = ("savings_rate", "coverage", "utilisation", "of_clairvoyant", "regret")


def table_lines(summary: pd.DataFrame) -> list[str]:
    """Return the table of one variant as Markdown rows, which a terminal reads as well."""
    lines = [
        "| rule | savings | coverage | utilisation | of clairvoyant | regret |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in summary.to_dict("records"):
        cells = [str(row["rule"]), *(_cell(name, row[name]) for name in COLUMNS)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _cell(name: str, value: float) -> str:
    if pd.isna(value):
        return "-"
    if name == "of_clairvoyant" and value < -1:
        return "below -100 %"  # it lost more than there was to be won; how many times more says nothing
    return f"{100 * value:.1f} %"


def meaning(hours: int, term_weeks: int) -> str:
    """Say how much a replay of ``hours`` can tell about terms of ``term_weeks``."""
    weeks = hours / HOURS_PER_WEEK
    if weeks < LEAST_WEEKS:
        return (
            f"This says little: {counted(hours / HOURS_PER_DAY, 'day is', '.0f', 'days are')} replayed, of "
            f"terms of {term_weeks} "
            f"week{'s' if term_weeks > 1 else ''}. It shows how the rules react, not what they are worth; "
            "collect a few months before you trust a ranking."
        )
    if weeks < term_weeks:
        return (
            f"No term was seen to its end: {counted(weeks, 'week is', '.0f', 'weeks are')} replayed, of "
            f"terms of {term_weeks}. {PAST_THE_END}"
        )
    return PAST_THE_END


def verdict(summary: pd.DataFrame) -> str:
    """Say in words what there was to win, also where it is nothing."""
    rates = summary.set_index("rule")["savings_rate"]
    ours = float(rates["planner"])
    others = rates.drop(["planner", CLAIRVOYANT])
    best_name, best = str(others.idxmax()), float(others.max())
    ceiling = float(rates[CLAIRVOYANT])
    if not ceiling > NOTHING:
        return "Nothing was to be won: even with the future known, commitments would not have paid."
    gap = ours - best
    part = f"{100 * abs(gap) / ceiling:.1f} % of the {100 * ceiling:.1f} % that could be won"
    if abs(gap) < TIE * ceiling:
        both = f"the planner saved {100 * ours:.1f} %, {best_name} {100 * best:.1f} %"
        return f"A tie: {both}; the difference is {part}."
    ahead, behind = ("The planner", f"the next best rule, {best_name}") if gap > 0 else (best_name, "the planner here")
    return f"{ahead} saved {100 * abs(gap):.1f} points more than {behind}: {part}."


def draw_savings(summaries: dict[str, pd.DataFrame], folder: Path) -> list[str]:
    """Draw each rule's savings, a group of bars a variant; a loss beyond what could be saved is cut to it."""
    rules = [name for name in summaries[next(iter(summaries))]["rule"] if name != "all on demand"]
    shades = [ACCENT, BAND, QUIET]
    height = 0.8 / len(summaries)
    deepest = -100 * max(0.01, *(float(summary["savings_rate"].max()) for summary in summaries.values()))
    with figure(8.0, 0.8 + 0.42 * len(rules) * max(1, len(summaries) ** 0.5)) as (chart, axes):
        for index, (variant, summary) in enumerate(summaries.items()):
            rates = summary.set_index("rule")["savings_rate"].reindex(rules) * 100
            places = [place + (index - (len(summaries) - 1) / 2) * height for place in range(len(rules))]
            shown = rates.clip(lower=deepest)
            bars = axes.barh(places, shown, height=height * 0.9, color=shades[index % 3], label=variant)
            labels = [f"{'◂ ' if rate < deepest else ''}{rate:,.1f}" for rate in rates]
            axes.bar_label(bars, labels, padding=2, fontsize=7, color=QUIET)
        axes.margins(x=0.15)
        axes.axvline(0, color=QUIET, linewidth=0.8)
        axes.set_yticks(range(len(rules)), rules)
        axes.invert_yaxis()
        axes.set_xlabel("effective savings rate, % of all on demand")
        if len(summaries) > 1:
            axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return save(chart, folder, "savings")
