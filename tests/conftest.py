"""Hypothesis draws the same examples in every run; HYPOTHESIS_PROFILE=explore draws new ones.

Frames keep their texts as the commands do, as Python's strings: a quarter less processor time on tiny tables.
PANDAS_STRINGS=pyarrow runs the tests with pandas' own choice.

Several workers take files in the order of their names, not those with most tests first: the longest files are few tests
(pages of the docs, run as they stand), and a worker that begins one last leaves the others idle.
"""

import os

import pandas as pd
import pytest
from hypothesis import settings

pd.options.mode.string_storage = os.environ.get("PANDAS_STRINGS", "python")

pytest.register_assert_rewrite("tests.builders.literal_optimum")  # its assertions say what they compared

settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):  # pytest-xdist is there
        config.option.loadscopereorder = False
