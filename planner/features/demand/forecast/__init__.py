"""Forecast: history -> hours to come -> demand by month, with the accuracy that was measured on held-out weeks."""
