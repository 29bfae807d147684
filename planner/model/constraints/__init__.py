"""The families of constraints, one a file (model.md section 4)."""
