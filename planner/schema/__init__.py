"""What a buyer tells us: the input tables as pydantic rows, plan.yaml, and the Case they make."""
