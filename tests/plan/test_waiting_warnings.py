"""What planner check says about work that can wait."""

from typing import Any

import pytest

from planner.plan.warnings import warnings_of
from tests import builders
from tests.builders.one_hour import on_demand, workload

BATCH = on_demand(option="batch", usd_per_mtok_input=25_000.0, deadline_hours=24)
NOW = {"workload": "now", "input_tokens": 60, "output_tokens": 0}


def codes(*workloads: dict[str, Any], options: list[dict[str, Any]] | None = None, **policy: Any) -> dict[str, str]:
    """Code and place of each warning of a case with these workloads."""
    tables = builders.tables(
        workloads=list(workloads),
        mix=[{"workload": w["workload"], "model": "m"} for w in workloads],
        demand=[row for w in workloads for row in builders.profile("west", w["workload"], [1.0, 5.0] * 12)],
        on_demand=[on_demand(), *([BATCH] if options is None else options)],
    )
    return {w.code: str(w) for w in warnings_of(builders.case(tables, **policy))}


NEW = ("no-deadline", "slow-option", "no-batch-option", "waiting-headroom", "steps-aside", "all-can-wait")


def test_a_sound_input_has_none() -> None:
    assert not set(codes(NOW, workload(deadline_hours=24), headroom=0.3)) & set(NEW)


@pytest.mark.parametrize(
    ("code", "workloads", "options", "words"),
    [
        ("no-deadline", [NOW, workload(kind="batch")], [], "workload w: is of kind batch and has deadline_hours 0"),
        ("slow-option", [NOW, workload(deadline_hours=23)], None, "on_demand option batch: answers within 24 hours"),
        ("no-batch-option", [NOW, workload(deadline_hours=24)], [], "on_demand: w can wait 24 hours or more"),
        ("waiting-headroom", [NOW, workload(deadline_hours=24, reserved_headroom=0.2)], None, "keeps 20% of reserved"),
        ("steps-aside", [NOW, workload(deadline_hours=24, failover_share=1)], None, "its failover_share 1 asks for"),
        ("all-can-wait", [workload(deadline_hours=24)], None, "every workload can wait"),
    ],
)
def test_each_trap(code: str, workloads: list[dict[str, Any]], options: Any, words: str) -> None:
    found = codes(*workloads, options=options, headroom=0.3)
    assert set(found) & set(NEW) == {code}
    assert words in found[code]


def test_the_policys_reserved_headroom_is_named_where_it_is_the_reason() -> None:
    found = codes(NOW, workload(deadline_hours=24), headroom=0.3, reserved_headroom=0.1)
    assert (
        "keeps 10% of reserved units spare all the same (the reserved_headroom of policy)" in found["waiting-headroom"]
    )


def test_a_slow_option_without_a_quota_carries_no_failover() -> None:
    limited = [on_demand(tokens_per_minute_quota=100), BATCH]
    tables = builders.tables(workloads=[workload()], on_demand=limited)
    assert "no-quota" not in {w.code for w in warnings_of(builders.case(tables))}
