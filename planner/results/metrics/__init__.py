"""What users ask of a plan: cost by month, strategy, workload and model; use of reserved capacity; egress; stress."""
