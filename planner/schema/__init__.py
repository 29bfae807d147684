"""The input: its tables as pydantic rows, plan.yaml, and the Case that they make."""
