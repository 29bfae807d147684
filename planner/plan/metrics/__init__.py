"""What users ask of a plan: cost by month, strategy, workload and model; use of reserved capacity; egress; stress."""

from planner.plan.metrics.collect import collect, summary_of
from planner.plan.metrics.metric_tables import HORIZON, Metrics

__all__ = ["HORIZON", "Metrics", "collect", "summary_of"]
