"""Folder and workbook -> Case; every fault of the input at once."""

from planner.readers.load import load

__all__ = ["load"]
