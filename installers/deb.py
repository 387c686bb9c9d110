"""The Debian package: one folder under /usr/lib/assay, one command, and what a desktop is told.

Rules: the same folder gives the same bytes (times are the build's, root owns everything, one thread compresses); what the system must bring is
found by looking at the program's libraries, not guessed; nothing is fetched or run when it is installed but the desktop's own triggers.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from installers import desktop, same
from installers.plan import HOMEPAGE, NAME, PROGRAM, BuildProblem, Plan, run

_NEEDED: Final = re.compile(r"^\s+NEEDED\s+(\S+)", re.MULTILINE)
LOADED_LATE: Final = (
    "libEGL.so.1",
    "libGL.so.1",
    "libX11-xcb.so.1",
    "libxcb-cursor.so.0",
    "libfontconfig.so.1",
    "libdbus-1.so.3",
)
"""Libraries that Qt opens by name as it starts."""
ELSEWHERE: Final = {
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
"""Packages of libraries that a machine without a desktop may lack when it builds."""
OVERRIDES: Final = (
    ("embedded-library", "nothing is fetched: the program brings the libraries that it was tested with"),
    ("embedded-javascript-library", "files of packages, as their authors ship them"),
    ("font-in-non-font-package", "the window's fonts, for machines that have none"),
    ("font-outside-font-dir", "the window's fonts, for machines that have none"),
    ("unstripped-binary-or-object", "native libraries stay byte for byte as their authors built and signed for them"),
    ("shared-library-lacks-prerequisites", "wheels' libraries are loaded by Python, which has the symbols"),
    ("custom-library-search-path", "wheels find their own libraries beside them"),
    ("library-not-linked-against-libc", "resource libraries (ICU's data)"),
    ("statically-linked-binary", "as their authors built them"),
    ("binary-with-bad-dynamic-table", "as PyInstaller and wheels' authors patched them"),
    ("hardening-no-pie", "PyInstaller's starter"),
    ("duplicate-font-file", "matplotlib's fonts, with which reports have the same letters on each machine"),
    ("missing-depends-on-sensible-utils", "words inside libblkid and libmount, which run no pager here"),
    ("no-changelog", "a package of the project itself, not of Debian"),
)


def build(plan: Plan, folder: Path, python: Path) -> Path:
    """Make the package from the program's finished folder."""
    stage = plan.work / "deb"
    shutil.rmtree(stage, ignore_errors=True)
    usr = stage / "usr"
    shutil.copytree(folder, usr / "lib" / PROGRAM, symlinks=True)
    (usr / "bin").mkdir(parents=True)
    (usr / "bin" / PROGRAM).symlink_to(f"../lib/{PROGRAM}/{PROGRAM}")
    desktop.write(usr, plan, python)
    papers = usr / "share" / "doc" / NAME
    papers.mkdir(parents=True)
    (papers / "copyright").write_text(_COPYRIGHT)
    lint = usr / "share" / "lintian" / "overrides"
    lint.mkdir(parents=True)
    (lint / NAME).write_text("".join(f"# {why}\n{NAME}: {tag}\n" for tag, why in OVERRIDES))
    control = stage / "DEBIAN"
    control.mkdir()
    size = sum(path.lstat().st_size for path in same.entries(usr) if path.is_file()) // 1024
    needs = depends(folder)
    (control / "control").write_text(_control(plan, needs, size))
    for name, text in (("postrm", _POSTRM),):
        (control / name).write_text(text)
        (control / name).chmod(0o755)
    sums = run(["sh", "-c", "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum"], cwd=stage)
    (control / "md5sums").write_text(sums)
    same.settle(stage, plan.epoch)
    target = plan.out / f"{NAME}_{plan.version}_amd64.deb"
    target.unlink(missing_ok=True)
    options = ["--root-owner-group", "-Zxz", "-z1", "--threads-max=1", "--build"]
    run(["dpkg-deb", *options, stage, target], environment={"SOURCE_DATE_EPOCH": str(plan.epoch)})
    return target


def depends(folder: Path) -> list[str]:
    """Debian packages with the libraries that the program's own need and it doesn't bring. Raises `BuildProblem` for one of no package."""
    brought = {path.name for path in folder.rglob("*") if ".so" in path.name}
    wanted: set[str] = set(LOADED_LATE)
    files = [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and (".so" in path.name or path.name == PROGRAM)
    ]
    for start in range(0, len(files), 100):
        wanted |= set(_NEEDED.findall(_said(["objdump", "-p", *map(str, files[start : start + 100])])))
    found = set()
    for library in sorted(wanted - brought):
        said = _said(["dpkg", "-S", f"*/{library}"])
        ours = re.compile(rf"(\S+?)(:amd64)?: /(usr/)?lib(64|/x86_64-linux-gnu)?/{re.escape(library)}$", re.MULTILINE)
        packages = {match[1] for match in ours.finditer(said)}
        if not packages and library not in ELSEWHERE:
            raise BuildProblem(
                f"{library}: no package on this machine has it, though the program needs it. Install the one that does."
            )
        found.add(min(packages) if packages else ELSEWHERE[library])
    return sorted(f"{name} (>= 2.36)" if name == "libc6" else name for name in found)


def _said(command: list[str]) -> str:
    """What a program prints; some of what it is asked about may be unknown to it."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _control(plan: Plan, needs: list[str], size: int) -> str:
    return (
        f"Package: {NAME}\nVersion: {plan.version}\nArchitecture: amd64\nMaintainer: The Assay project <packages@assay.invalid>\n"
        f"Installed-Size: {size}\nDepends: {', '.join(needs)}\nRecommends: shared-mime-info, desktop-file-utils\n"
        f"Suggests: tesseract-ocr-eng\nSection: science\nPriority: optional\nHomepage: {HOMEPAGE}\n"
        "Description: workbench for language models on one machine, without a network\n"
        " Run quantized models, ask your own documents, version and sign prompts,\n"
        " evaluate, and hand an auditor a signed pack that can be checked without\n"
        " trusting the tool. Nothing is fetched when it is installed or runs.\n"
    )


_POSTRM: Final = """#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = purge ]; then
    echo "Assay is removed. Vaults (folders that end in .assay) and ~/.config/assay of each user were left as they are."
fi
"""
_COPYRIGHT: Final = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Assay

Files: *
Copyright: 2026 The Assay project
License: AGPL-3.0-or-later
 The whole text is in /usr/lib/assay/LICENSE. The licences of all that the program carries are in
 /usr/lib/assay/_internal/resources/licences, where LIST.txt names each. The program's source is in /usr/lib/assay too.
"""
