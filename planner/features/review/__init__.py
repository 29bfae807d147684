"""Review: a finished plan against what happened since."""

from planner.features.review.review_study import review

__all__ = ["review"]
