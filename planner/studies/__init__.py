"""Questions over plans: solve, and what builds on it."""
