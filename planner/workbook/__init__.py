"""Reports: a finished plan as workbook, terminal text, web page and tables. Knows no LP and no solver."""
