"""The self-extracting `.run`: a shell script with a compressed tar behind it, for people who are not root.

Rules: the script checks the archive's SHA-256 before it unpacks; it writes below one prefix (`~/.local` unless told otherwise) and nowhere else;
`--dry-run` changes nothing; `--uninstall` removes what was installed, leaves vaults, and says where they may be.
"""

import hashlib
import shutil
from pathlib import Path

from installers import desktop, same
from installers.plan import HERE, NAME, PROGRAM, Plan


def build(plan: Plan, folder: Path, python: Path) -> Path:
    """Make the `.run` from the program's finished folder."""
    stage = plan.work / "run"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(folder, stage / "lib" / PROGRAM, symlinks=True)
    desktop.write(stage, plan, python)
    return pack(stage, plan.out / f"{NAME}-{plan.version}-linux-x86_64.run", plan.version, plan.epoch)


def pack(stage: Path, target: Path, version: str, epoch: int) -> Path:
    """The script and the content of a prefix, in one file that can be run."""
    same.write_tar_gz(stage, target, epoch)
    content = target.read_bytes()
    target.write_bytes(script(version, hashlib.sha256(content).hexdigest(), len(content)) + content)
    target.chmod(0o755)
    return target


def script(version: str, digest: str, size: int) -> bytes:
    """The part before the archive. It says how many of its own bytes to skip, so it is made twice."""
    text = (HERE / "linux" / "run.sh").read_text()
    text = text.replace("@VERSION@", version).replace("@SHA256@", digest).replace("@SIZE@", str(size))
    length = len(text.replace("@SKIP@", "0" * 8).encode())
    return text.replace("@SKIP@", f"{length + 1:08d}").encode()
