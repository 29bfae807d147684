"""The programme, stated once, as tables: knows no solver, no file, no report."""
