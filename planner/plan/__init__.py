"""What was decided, in plain arithmetic: plan, re-pricing, audit, figures. Knows no LP."""
