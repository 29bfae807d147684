"""What users ask of a plan: cost by month, strategy, workload and model; use of reserved capacity; egress; stress."""

from planner.plan.metrics.collect import figures_of, metrics_of, summary_of
from planner.plan.metrics.tables import HORIZON, Metrics

__all__ = ["HORIZON", "Metrics", "figures_of", "metrics_of", "summary_of"]
