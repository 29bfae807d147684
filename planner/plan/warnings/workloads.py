"""Workloads without a cache rate, with thin headroom, or all on one dear model."""

from planner.plan.warnings.caution import Caution, with_demand
from planner.schema.case import Case

USUAL_HEADROOM = 0.30
INPUT_DOMINATES = 4.0  # input tokens over output tokens
_SLACK = 1e-9


def no_cache_rate(case: Case) -> list[Caution]:
    """Input dominates, and none of it is said to come from a cache."""
    return [
        Caution(
            "no-cache-rate", "cost", f"workload {w.workload}",
            f"has {w.input_tokens:g} input for {w.output_tokens:g} output tokens and cache_hit_rate 0: cached input "
            "is sold far below the price of fresh input, and often does not count on a reserved unit at all",
            "Measure the share of input read from cache, and state it in cache_hit_rate",
        )
        for w in with_demand(case)
        if w.cache_hit_rate == 0 and w.input_tokens > 0 and w.input_tokens >= INPUT_DOMINATES * w.output_tokens
    ]  # fmt: skip


def thin_headroom(case: Case) -> list[Caution]:
    """Less spare capacity than the 30% that the trade keeps."""
    return [
        Caution(
            "thin-headroom", "risk", f"workload {w.workload}",
            f"headroom is {case.headroom(w):.0%}; under {USUAL_HEADROOM:.0%} a forecast that is a little low is an "
            "outage",
            "Raise headroom in policy or for the workload, or be sure of the forecast",
        )
        for w in with_demand(case)
        if case.headroom(w) < USUAL_HEADROOM - _SLACK and w.kind != "batch"
    ]  # fmt: skip


def one_frontier_model(case: Case) -> list[Caution]:
    """Everything runs on one frontier model."""
    served = {w.workload for w in with_demand(case)}
    models = {m.model for m in case.mix if m.workload in served and m.max_share > 0}
    if len(models) != 1:
        return []
    (model,) = (m for m in case.models if m.model in models)
    if model.tier != "frontier":
        return []
    message = (
        f"all traffic runs on {model.model}, a frontier model: the dearest tokens, and one outage stops everything"
    )
    remedy = "Let simple requests go to a mid or small model: add rows to mix, with max_share where quality limits it"
    return [Caution("one-frontier-model", "cost", "mix", message, remedy)]
