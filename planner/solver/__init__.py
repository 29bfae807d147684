"""From the programme to a proved plan: HiGHS in process, any solver of PuLP, the certificate, reasons for no plan."""
