"""Shifts between models: what another model mix would be worth."""
