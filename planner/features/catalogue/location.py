"""Where the catalogue is: in the source tree, or where pip put it."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from planner.errors import PlannerError
from planner.versions import DISTRIBUTION

_MARK = "products.csv"


def catalogue_folder() -> Path:
    """Find data/catalogue beside the package, or the copy installed as share/planner/catalogue.

    Raises
    ------
    PlannerError
        if neither is there: the installation is broken, or the folder was moved.
    """
    beside = Path(__file__).parents[3] / "data" / "catalogue"
    if (beside / _MARK).is_file():
        return beside
    try:
        installed = [f for f in files(DISTRIBUTION) or () if f.name == _MARK and f.parent.name == "catalogue"]
    except PackageNotFoundError:
        installed = []
    for found in installed:
        folder = Path(str(found.locate())).resolve().parent
        if (folder / _MARK).is_file():
            return folder
    raise PlannerError("the catalogue of offers is not installed; name its folder with --catalogue FOLDER")
