"""What every command shares: arguments, outputs, progress."""
