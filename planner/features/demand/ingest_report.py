"""What `planner ingest` says on the terminal, and the moments it reads from the command line."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.features.demand.history import VALUES, History
from planner.features.demand.profile import ALL_SERIES, Profile
from planner.units import counted

MOST_COMMITMENTS = 20  # that are printed


def moment(text: str | None, option: str) -> dt.datetime | None:
    """Read a moment; UTC where it has no offset."""
    if text is None:
        return None
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError([Fault(option, "is not a moment", value=text, allowed="2027-01-31T00:00Z")]) from None
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)


def window(text: str | None) -> tuple[dt.datetime, dt.datetime] | None:
    """Read START/END."""
    if text is None:
        return None
    start, _, end = text.partition("/")
    first, last = moment(start, "--window"), moment(end or None, "--window")
    if first is None or last is None or last <= first:
        raise InputError(
            [Fault("--window", "is not a span", value=text, allowed="2027-01-01T00:00Z/2027-02-01T00:00Z")]
        )
    return first, last


def explain_history(history: History) -> None:
    """Print what would be read: row counts and totals first, then how and why."""
    report = history.report
    _tell(report)
    print(f"read as {report['format']}:")
    for text in report["reading"]:
        print(f"  {text}")
    for name, values in report["series"].items():
        more = f" and {len(values) - 8} more" if len(values) > 8 else ""
        print(f"  {name}: {', '.join(values[:8])}{more}")
    print(f"a history of {counted(report['history_rows'], 'row', ',')}; nothing was written (--explain)")


def tell_history(history: History, folder: Path) -> None:
    """Print what was read, what is missing, and what each rule did."""
    _tell(history.report)
    print(f"history of {counted(history.report['history_rows'], 'row', ',')} in {folder}")


def _tell(report: Mapping[str, Any]) -> None:
    print(
        f"{report['title']}: {counted(report['rows_read'], 'row', ',')} read, {report['first_hour']} to "
        f"{report['last_hour']}"
    )
    for name in VALUES:
        total = report["totals"][name]
        fresh = name == "input_tokens" and report["totals"]["cached_tokens"]
        meaning = " (neither read from the cache nor written to it)" if fresh else ""
        print(f"  {name:<15} {'not in this export' if total is None else f'{total:,.0f}'}{meaning}")
    for text in report["missing"]:
        print(f"missing: {text}")
    for text in report["notes"]:
        print(f"note: {text}")
    for finding in report["findings"]:
        print(f"{finding['action']}: {finding['count']:,} {finding['rule']}: {finding['meaning']}")
        if finding["examples"]:
            print(f"    such as {finding['examples'][0]}")
    if "reconciliation" in report:
        _tell_reconciliation(report["reconciliation"])


def _tell_reconciliation(told: Mapping[str, Any]) -> None:
    """Print the history beside its bill, line by line, then the likely reasons of the difference."""
    print(f"against {told['bill']} at the catalogue's prices:")
    print(f"  {'month':<8} {'model':<32} {'tokens':>18} {'history USD':>14} {'bill USD':>14} {'difference':>11}")
    for line in told["lines"]:
        ours, theirs = line["usd_history"], line["usd_bill"]
        share = f"{ours / theirs - 1:+.1%}" if ours is not None and theirs else "-"
        shown = [("-" if value is None else f"{value:,.2f}") for value in (ours, theirs)]
        name = f"{line['month']:<8} {line['model'][:32]:<32} {line['tokens']:>18,.0f}"
        print(f"  {name} {shown[0]:>14} {shown[1]:>14} {share:>11}")
    print(reconciliation_line(told))
    for reason in told["reasons"]:
        print(f"  likely: {reason}")


def reconciliation_line(told: Mapping[str, Any]) -> str:
    """Say in one sentence whether a history reconciles to its bill."""
    share = told["difference_share"]
    by = "" if share is None else f", {share:+.1%}"
    amounts = f"{told['usd_history']:,.2f} USD at list prices against {told['usd_bill']:,.2f} USD billed{by}"
    if told["reconciles"]:
        return f"The history reconciles to its bill: {amounts}."
    return f"The history does not reconcile to its bill within 1 %: {amounts}."


def profile_lines(profile: Profile) -> list[str]:
    """Return a line a series, and one a workload that several models serve; what is not known is a dash."""
    content = profile.as_dict()
    lines = []
    for row in content["summary"]:
        ratio, weekend, varies = (row[n] for n in ("peak_over_mean", "weekend_over_weekday", "same_hour_variation"))
        burst = row["burst_factor"]
        lines.append(
            f"{_series_name(row['region'], row['workload'])}: mean {row['mean_requests_per_hour'] or 0:,.1f}/h, "
            f"peak {row['peak_requests_per_hour'] or 0:,.0f}/h ({_shown(ratio, '.2f')} x mean), "
            f"weekend/weekday {_shown(weekend, '.2f')}, same hour varies {_shown(varies, '.0%')}, "
            f"{counted(row['weeks'], 'week', 'g')}, {row['input_tokens']:,.0f} tokens in (cache hit "
            f"{row['cache_hit_rate']:.0%}), "
            f"{row['output_tokens']:,.0f} out" + ("" if burst is None else f", peak minute {burst:.2f} x mean")
        )
    mix: dict[str, list[str]] = {}
    for row in sorted(content["mix"], key=lambda row: -row["share"]):
        mix.setdefault(row["workload"], []).append(f"{row['model']} {row['share']:.0%}")
    return lines + [f"mix of {name}: {', '.join(parts)}" for name, parts in sorted(mix.items()) if len(parts) > 1]


def _series_name(region: str, workload: str) -> str:
    return "all together" if (region, workload) == ALL_SERIES else f"{region} · {workload}"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def tell_commitments(report: Mapping[str, Any], folder: Path | None) -> None:
    """Print what a FOCUS export holds of commitments and money."""
    print(f"{report['title']}: {counted(report['rows_read'], 'row', ',')} read")
    for item in report["commitments"][:MOST_COMMITMENTS]:
        print(f"  {item['name']}: {_commitment(item)}")
    more = len(report["commitments"]) - MOST_COMMITMENTS
    if more > 0:
        print(f"  and {more} more commitments")
    for name, value in report["money"].items():
        print(f"  {name:<28} {value:,.2f}")
    for text in report["missing"]:
        print(f"missing: {text}")
    print("nothing was written (--explain)" if folder is None else f"commitments in {folder}")


def _commitment(item: Mapping[str, Any]) -> str:
    if item["money"] is not None:
        size = f"{item['money']:,.2f} {item['currency'] or ''} of spend, no units".replace("  ", " ")
    elif item["units"] is None:
        size = item["why"] or "units not known"
    else:
        size = f"{item['units']:g} {item['unit']}"
    used = "" if item["utilisation"] is None else f", utilisation {item['utilisation']:.1%}"
    period = f", {item['start']} to {item['end']}" if item["start"] else ""
    return size + used + period
