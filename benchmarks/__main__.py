"""All benchmarks: `python -m benchmarks` from the root of the repository; about 20 minutes on two quiet cores.

python -m benchmarks --quick                 small sizes, about two minutes
python -m benchmarks --parts a --sizes 8x8 10x10
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks import parts
from benchmarks.page import put

PAGE = Path(__file__).with_name("results.md")


def main() -> None:
    """Run the chosen parts, print each table and put it on the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    named = "; ".join(f"{key} {part.__doc__.splitlines()[0].rstrip('.').lower()}" for key, part in parts.PARTS.items())
    parser.add_argument("--parts", nargs="+", choices=list(parts.PARTS), default=list(parts.PARTS), help=named)
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--sizes", nargs="+", metavar="RxM", help="regions x models, in place of a part's own")
    parser.add_argument("--output", type=Path, default=PAGE, help="page of results (default: benchmarks/results.md)")
    arguments = parser.parse_args()
    sizes = None if arguments.sizes is None else [parts.size_of(text) for text in arguments.sizes]
    with tempfile.TemporaryDirectory() as work:
        for key in arguments.parts:
            for section in parts.PARTS[key](Path(work), arguments.quick, sizes):
                print(section.text(), flush=True)
                put(section, arguments.output)


if __name__ == "__main__":
    main()
