"""What if: questions of a review meeting, each a small change of the folder, beside the plan as it stands."""
