"""A review as text, tables, charts and a workbook."""
