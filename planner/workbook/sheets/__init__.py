"""One file a sheet of the plan's workbook."""
