"""Review: a finished plan against what happened since."""

from planner.studies.review.study import review

__all__ = ["review"]
