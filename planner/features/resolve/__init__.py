"""Solving again against the last plan: lines, causes, keep."""
