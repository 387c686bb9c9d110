"""What a Linux desktop is told of the program: shortcut, icons, kinds of files, AppStream data, manual page; below a prefix such as `usr`."""

import datetime
import gzip
import os
from pathlib import Path
from typing import Final

from installers.plan import HERE, Plan, run

SIZES: Final = (16, 32, 48, 64, 128, 256)
_LINUX: Final = HERE / "linux"


def write(prefix: Path, plan: Plan, python: Path) -> None:
    """Write everything below `prefix`. `python` has the program and Qt (it draws the icons and makes the manual page)."""
    share = prefix / "share"
    _copy(_LINUX / "assay.desktop", share / "applications" / "assay.desktop")
    _copy(_LINUX / "assay.xml", share / "mime" / "packages" / "assay.xml")
    _copy(_LINUX / "assay.svg", share / "icons" / "hicolor" / "scalable" / "apps" / "assay.svg")
    text = (_LINUX / "org.assay.workbench.metainfo.xml").read_text()
    date = datetime.datetime.fromtimestamp(plan.epoch, datetime.UTC).date().isoformat()
    metainfo = share / "metainfo" / "org.assay.workbench.metainfo.xml"
    metainfo.parent.mkdir(parents=True, exist_ok=True)
    metainfo.write_text(text.replace("@VERSION@", plan.version).replace("@DATE@", date))
    draw: list[str | Path] = [
        python,
        "-m",
        "installers.icons",
        _LINUX / "assay.svg",
        share / "icons" / "hicolor",
        *map(str, SIZES),
    ]
    run(draw, cwd=plan.work / "source", environment={"QT_QPA_PLATFORM": "offscreen"})
    made = run([python, "-c", _PAGE.format(version=plan.version, epoch=plan.epoch)], cwd=plan.work / "source")
    place = share / "man" / "man1" / "assay.1.gz"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(made.encode(), 9, mtime=0))


def validate(prefix: Path) -> list[str]:
    """What the validators of desktop files and AppStream data say; each that isn't installed is named."""
    said = []
    share = prefix / "share"
    commands: tuple[list[str | Path], ...] = (
        ["desktop-file-validate", share / "applications" / "assay.desktop"],
        ["appstreamcli", "validate", "--no-net", share / "metainfo" / "org.assay.workbench.metainfo.xml"],
        ["xmllint", "--noout", share / "mime" / "packages" / "assay.xml"],
    )
    for command in commands:
        if not any(os.access(Path(place) / str(command[0]), os.X_OK) for place in os.environ["PATH"].split(":")):
            said.append(f"{command[0]}: not installed, not run")
            continue
        said.append(f"{command[0]}: {run(command).strip() or 'good'}")
    return said


_PAGE: Final = (
    "import sys; from core.cli.main import assay; from installers.manual import page; "
    "sys.stdout.write(page(assay, 'assay', {version!r}, {epoch}))"
)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
