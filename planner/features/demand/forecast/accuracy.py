"""Measures of a forecast against actual demand: shares of the demand, so that series of any size compare.

For actual a and forecast f over the known hours: WAPE = Σ|a − f| / Σa; bias = Σ(f − a) / Σa (above 0: forecast too
high); pinball loss of the q-quantile = Σ max(q(a − f), (q − 1)(a − f)) / Σa; coverage of the q-quantile = share of the
hours at or below it.
"""

import numpy as np


def wape(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Weighted absolute percentage error, as a share."""
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    return float(np.abs(actual[known] - forecast[known]).sum() / total) if total > 0 else float("nan")


def bias(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Mean error as a share of the demand; above 0 the forecast was too high."""
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    return float((forecast[known] - actual[known]).sum() / total) if total > 0 else float("nan")


def pinball(actual: np.ndarray, forecast: np.ndarray, quantile: float) -> float:
    """Pinball loss of a quantile forecast as a share of the demand."""
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    gap = actual[known] - forecast[known]
    loss = np.maximum(quantile * gap, (quantile - 1.0) * gap)
    return float(loss.sum() / total) if total > 0 else float("nan")


def coverage(actual: np.ndarray, upper: np.ndarray) -> float:
    """Share of the known hours at or below ``upper``."""
    known = np.isfinite(actual)
    return float((actual[known] <= upper[known]).mean()) if known.any() else float("nan")
