"""Explore: what-if questions asked on a page in a meeting, each answered while the slider moves."""
