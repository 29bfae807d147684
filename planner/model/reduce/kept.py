"""From Sets to the same sets with what the last plan bought: what `--keep` asks of the programme."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from planner.model.sets import Keep, Sets

Line = tuple[str, str]  # offer, period


def with_kept(sets: Sets, keep: Keep, units: Mapping[Line, float], limit: Mapping[Line, float] | None = None) -> Sets:
    """Charge changes against ``units``; with ``limit``, allow no more changes than its sum over a component's lines.

    Lines of ``units`` that are not for sale are left out; purchases that it does not name are free.
    """
    lines = [(str(o), sets.periods[int(p)]) for o, p in zip(sets.purchases["offer"], sets.purchases["period"])]
    return replace(
        sets,
        keep=keep,
        purchases=sets.purchases.assign(
            kept_units=np.array([units.get(line, np.nan) for line in lines], dtype=float),
            limit_units=np.array([(limit or {}).get(line, 0.0) for line in lines], dtype=float),
        ),
    )
