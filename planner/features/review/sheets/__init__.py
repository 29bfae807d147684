"""The sheets of review.xlsx, a file each."""
