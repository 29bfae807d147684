"""Shares of workloads that a case may set: of all of them, or of one.

guaranteed_share = 0.5                   of every workload
guaranteed_share[workload=chat] = 0.5    of one
headroom[workload=voice] = 0.4           its own, in place of the policy's
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from pydantic import ValidationError

from planner.errors import Fault, nearest
from planner.schema.case import Case
from planner.schema.workloads import Workload

SHARES = ("guaranteed_share", "failover_share", "headroom", "reserved_headroom")
_POLICY = ("headroom", "reserved_headroom")  # without a workload these are keys of the policy
_KEY = re.compile(r"(?:workloads\.)?(\w+)(?:\[\s*workload\s*=\s*([^\]]*?)\s*\])?")


def share_of(key: str) -> tuple[str, str | None] | None:
    """Read a key as a column of workloads and a workload (None: all of them); None: it is no such key."""
    found = _KEY.fullmatch(key)
    if found is None or found[1] not in SHARES or (found[2] is None and found[1] in _POLICY):
        return None
    return found[1], found[2]


def with_shares(case: Case, name: str, settings: Iterable[tuple[str, str]]) -> tuple[Case, list[Fault]]:
    """Return the case with the shares that are among some settings, by the rules of the table; and what is wrong."""
    workloads = {w.workload: w for w in case.workloads}
    faults: list[Fault] = []
    for key, text in settings:
        share = share_of(key)
        if share is None:
            continue
        column, workload = share
        place = f"case {name!r}"
        if workload is not None and workload not in workloads:
            message = f"is not in the table workloads{nearest(workload, workloads)}"
            faults.append(Fault(place, message, column=key, value=workload, allowed=", ".join(workloads)))
            continue
        blank = Workload.model_fields[column].get_default()
        for w in [w for w in workloads.values() if workload in (None, w.workload)]:
            try:
                workloads[w.workload] = Workload.model_validate({**w.model_dump(), column: text if text else blank})
            except ValidationError as error:
                said = error.errors()[0]["msg"].removeprefix("Value error, ")
                allowed = "a share from 0 to 1" if "headroom" not in column else "a share from 0 to below 1"
                faults.append(Fault(place, f"{said[:1].lower()}{said[1:]}", column=key, value=text, allowed=allowed))
                break
    return replace(case, workloads=tuple(workloads.values())), faults
