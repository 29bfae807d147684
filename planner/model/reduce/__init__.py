"""Exact reductions: each states why the optimum is unchanged."""
