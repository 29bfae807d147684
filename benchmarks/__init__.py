"""Benchmarks of the whole command, against literal models of the same folders: `python -m benchmarks --help`."""
