"""The families of constraints, one a file (docs/model.md, "The rules")."""
