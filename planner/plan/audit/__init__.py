"""The audit: a finished plan against every rule of docs/model.md, in arithmetic that knows nothing of the programme."""

from planner.plan.audit.all_checks import audit
from planner.plan.audit.findings import Finding

__all__ = ["Finding", "audit"]
