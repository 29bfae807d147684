"""Demand: usage exports -> history -> profile -> forecast -> the demand of a planning folder."""
