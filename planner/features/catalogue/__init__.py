"""What providers publish, with source and status, and how a buyer's offer tables are made from it."""
