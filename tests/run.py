"""
`python -m tests.run [OPTION…]`: the whole suite in parts, as many beside each other as there are processors, up to two.

Tests mostly wait for one process; two at once end in little more than half the time. Options go to each part's pytest. What
each part writes is kept in build/tests/, and printed when the part ends; the failures of all come last. The parts share nothing
that tests write: each has its own temporary folder and cache.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOGS = REPOSITORY / "build" / "tests"
PARTS = {
    "others": (),
    "engine": ("tests/unit/inference", "tests/unit/models", "tests/unit/workers", "tests/unit/retrieval"),
    "end2end": ("tests/end2end", "tests/fuzz"),
    "window": ("tests/unit/app",),
    "vault": ("tests/unit/vault", "tests/unit/trust", "tests/unit/evidence"),
    "commands": ("tests/unit/cli", "tests/unit/server"),
}
"""The longest first, so that the last ones to run are short; others are whatever no other part names."""
NONE_FOUND = 5
DOTS = re.compile(r"[.sxXFE]+ *\[ *(\d+)%\]")
SIGN_OF_LIFE = 60.0
"""Seconds between two lines that say how far the running parts are."""
COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed|deselected)")


@dataclass
class Part:
    """A pytest that runs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float

    @property
    def lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    @property
    def percent(self) -> int:
        """How much of it has run, as pytest says at the end of a row of dots."""
        said = [match[1] for line in self.lines if (match := DOTS.fullmatch(line.strip()))]
        return int(said[-1]) if said else 0


def commands() -> dict[str, list[str]]:
    """What pytest is given for each part."""
    named = [place for places in PARTS.values() for place in places]
    rest = ("tests", *(f"--ignore={place}" for place in named))
    return {name: list(places or rest) for name, places in PARTS.items()}


def start(name: str, given: list[str], options: list[str]) -> Part:
    """Begin a part; its output goes to its log."""
    log = LOGS / f"{name}.log"
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={LOGS / 'cache' / name}", *options, *given]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    return Part(name, process, log, time.monotonic())


def told(part: Part) -> Counter[str]:
    """Print what a part wrote, without its dots; how many tests did what."""
    lines = part.lines
    print(f"== {part.name}: {time.monotonic() - part.began:.0f} s, {part.log.relative_to(REPOSITORY)}", flush=True)
    print("\n".join(line for line in lines if line.strip() and not DOTS.fullmatch(line.strip())), flush=True)
    counts: Counter[str] = Counter()
    for count, what in COUNT.findall(next((line for line in reversed(lines) if COUNT.search(line)), "")):
        counts["errors" if what == "error" else what] += int(count)
    return counts


def end(running: list[Part]) -> None:
    """After Ctrl-C, which the parts got too: let them finish what they hold, then end them."""
    deadline = time.monotonic() + 20
    for part in running:
        try:
            part.process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            part.process.terminate()
            part.process.wait()


def main(options: list[str]) -> int:
    """Run all parts; the exit status is that of the first that failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began, beside = time.monotonic(), min(2, os.cpu_count() or 1)
    waiting, running, ended = list(commands().items()), list[Part](), list[Part]()
    say, counts = began + SIGN_OF_LIFE, Counter[str]()
    print(f"{len(waiting)} parts, {beside} at a time; what they write: {LOGS.relative_to(REPOSITORY)}", flush=True)
    try:
        while waiting or running:
            while waiting and len(running) < beside:
                running.append(start(*waiting.pop(0), options))
            time.sleep(0.2)
            if time.monotonic() > say:
                say += SIGN_OF_LIFE
                print(", ".join(f"{part.name} {part.percent} %" for part in running), flush=True)
            for part in [part for part in running if part.process.poll() is not None]:
                running.remove(part)
                ended.append(part)
                counts += told(part)
    except KeyboardInterrupt:
        end(running)
        print("Stopped.", flush=True)
        return 130
    codes = [part.process.returncode for part in ended if part.process.returncode not in (0, NONE_FOUND)]
    if all(part.process.returncode == NONE_FOUND for part in ended):
        codes = [NONE_FOUND]
    for part in ended:
        failed = [line for line in part.lines if line.startswith(("FAILED ", "ERROR "))]
        if part.process.returncode not in (0, NONE_FOUND):
            failed = failed or [f"{part.name} ended with {part.process.returncode}: {part.log.relative_to(REPOSITORY)}"]
        print("\n".join(failed), end="\n" if failed else "", flush=True)
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"{summary} in {time.monotonic() - began:.0f} s", flush=True)
    return abs(codes[0]) if codes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
