"""The commands of demand, a file each."""
