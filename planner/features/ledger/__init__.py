"""The ledger of signed plans: lines of JSON, each chained to the one before by its SHA-256."""
