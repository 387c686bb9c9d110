"""`make bench [ONLY=pattern] [OUT=file.json]`: measure, and print a line a figure."""

import argparse
import fnmatch
import importlib
import json
import pkgutil
from pathlib import Path

from tests import benchmarks
from tests.benchmarks.figures import BENCHMARKS


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="*", help="beginning of the figures' names, or a pattern")
    parser.add_argument("--out", type=Path, help="write the figures as JSON too")
    arguments = parser.parse_args()
    for module in pkgutil.iter_modules(benchmarks.__path__, prefix="tests.benchmarks."):
        if module.name.rpartition(".")[2].startswith("bench_"):
            importlib.import_module(module.name)
    measured = []
    for name, benchmark in sorted(BENCHMARKS.items()):
        if not fnmatch.fnmatch(name, arguments.only) and not name.startswith(arguments.only):
            continue
        for figure in benchmark():
            print(figure, flush=True)
            measured.append({**figure._asdict(), "reached": figure.reached})
    if arguments.out:
        arguments.out.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
