"""What a review says of a plan: its rules, its figures as tables, and a verdict for each commitment."""

from planner.results.review.rules import Rules
from planner.results.review.tables import Regret, Review, Span, Verdict

__all__ = ["Regret", "Review", "Rules", "Span", "Verdict"]
