"""Hypothesis draws the same examples in every run; HYPOTHESIS_PROFILE=explore draws new ones.

Frames keep their texts as the commands do, as Python's strings: a quarter less processor time on tiny tables.
PANDAS_STRINGS=pyarrow runs the tests with pandas' own choice.
"""

import os

import pandas as pd
from hypothesis import settings

pd.options.mode.string_storage = os.environ.get("PANDAS_STRINGS", "python")

settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
