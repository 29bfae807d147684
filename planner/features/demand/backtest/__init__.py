"""Backtest: what each buying rule would have cost on a history, week by week, with only what was known then."""
