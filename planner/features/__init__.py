"""What planner answers beyond the plan itself: a folder for each question, with its tables, report and command."""
