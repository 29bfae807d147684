"""Exports that are whole JSON or text but not built like their format: said file by file, never a traceback."""

import os
from dataclasses import replace

from planner.errors import Fault, InputError
from planner.features.demand.formats.base import Format, Inputs, Reading, Sample

# what Python raises where a number, a list or an object is not what the format has at that place
WRONG_SHAPE = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)


def is_of(format: Format, sample: Sample) -> bool:
    """Tell whether a sample is of a format; one that is not built like it is not."""
    try:
        return format.recognise(sample)
    except WRONG_SHAPE:
        return False


def read_whole(format: Format, inputs: Inputs) -> Reading:
    """Read an export.

    Raises
    ------
    InputError
        naming every file that is not built like the format.
    """
    try:
        return format.read(inputs)
    except WRONG_SHAPE as error:
        if not inputs.files or os.environ.get("PLANNER_DEBUG"):
            raise
        found = [fault for file in inputs.files for fault in _faults(format, replace(inputs, files=(file,)))]
        raise InputError(found or [_fault(format, inputs, error)]) from error


def _faults(format: Format, inputs: Inputs) -> list[Fault]:
    try:
        format.read(inputs)
    except InputError as error:
        return list(error.faults)
    except WRONG_SHAPE as error:
        return [_fault(format, inputs, error)]
    return []


def _fault(format: Format, inputs: Inputs, error: Exception) -> Fault:
    path = str(inputs.files[0].path)
    message = f"is not built like an export of {format.title}; it may be damaged ({type(error).__name__}: {error})"
    return Fault(path, message)
