"""Hand-over to machines: an accepted plan as Terraform and LiteLLM files to review, with the order of things."""
