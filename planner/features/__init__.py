"""What planner answers besides the plan itself: one folder a question, each with its tables, report and command."""
