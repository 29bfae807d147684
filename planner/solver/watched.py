"""A search that is on, as somebody watches it: HiGHS's best cost and bound so far. Nothing where nobody does."""

from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

Told = Callable[[float, float], None]  # best cost so far (inf: none yet) and proved bound, USD


def watched(h: highspy.Highs, tell: Told | None, usd: float) -> highspy.Highs:
    """Have a search of whole units tell its best cost and its bound as they come; ``usd`` : of one of its costs."""
    if tell is None:
        return h

    def told(event: Any) -> None:
        bound = float(event.data_out.mip_dual_bound)
        if np.isfinite(bound):
            tell(float(event.data_out.mip_primal_bound) * usd, bound * usd)

    h.cbMipInterrupt.subscribe(told)
    h.cbMipImprovingSolution.subscribe(told)
    return h
