"""An independent check of a finished plan, from its files alone. Shares no code with the rooms that found it."""
