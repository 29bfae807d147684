"""Shapley values: what each of several factors adds to a value, whatever the order in which they are changed."""

from collections.abc import Callable
from math import factorial

import numpy as np

from planner.plan.flows import Floats


def shapley(value: Callable[[frozenset[str]], Floats], factors: tuple[str, ...]) -> Floats:
    """Divide value(all factors) − value(none) among the factors, exactly.

        φ_f = Σ_{S without f} |S|! (k − |S| − 1)! / k! · (value(S + f) − value(S))

    the mean, over all orders, of what changing f adds. A factor that changes nothing gets nothing; turning the question
    round (all for none) turns every sign; the parts add up.

    Parameters
    ----------
    value : of a set of changed factors: an array of n numbers. Called 2**len(factors) times.
    factors : k names, at most a dozen.

    Returns
    -------
    array : k x n.
    """
    k = len(factors)
    sets = np.arange(1 << k)
    size = np.array([int(s).bit_count() for s in sets])
    found = np.array([value(frozenset(f for b, f in enumerate(factors) if s >> b & 1)) for s in sets.tolist()])
    weight = np.array([factorial(n) * factorial(k - n - 1) / factorial(k) for n in range(k)] or [0.0])
    parts = np.zeros((k, found.shape[1]))
    for b in range(k):
        without = sets[sets >> b & 1 == 0]
        parts[b] = weight[size[without]] @ (found[without | 1 << b] - found[without])
    return parts
