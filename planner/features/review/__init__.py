"""Review: a finished plan against what happened since."""

from planner.features.review.study import review

__all__ = ["review"]
