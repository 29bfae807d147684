"""An order as edited by procurement, priced."""
