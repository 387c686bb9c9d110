"""Sums and the signature over them: one `SHA256SUMS` lists every file of a release, and minisign signs that one file.

The release key belongs to whoever releases; a build without one signs nothing, unless a throw-away key is asked for trials.
"""

import json
from pathlib import Path
from typing import Any, Final

from installers.plan import BuildProblem, run
from installers.provenance import digest

SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.minisig"
PROVENANCE: Final = "provenance.json"
SBOM: Final = "sbom.cdx.json"
TRIAL_KEY: Final = "TRIAL-KEY.pub"
_BESIDE: Final = frozenset({SUMS, SIGNATURE, TRIAL_KEY})


def write_json(path: Path, content: dict[str, Any]) -> None:
    """JSON that a person can read, the same bytes for the same content."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def artefacts(folder: Path) -> list[Path]:
    """The files of a release that SHA256SUMS lists."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name not in _BESIDE)


def write_sums(folder: Path) -> Path:
    """List all files of the folder as `sha256sum` does."""
    sums = folder / SUMS
    sums.write_text("".join(f"{digest(path)}  {path.name}\n" for path in artefacts(folder)), encoding="utf-8")
    return sums


def sign(folder: Path, key: Path, comment: str) -> Path:
    """Sign the sums with a minisign key that has no passphrase, or asks for it on the terminal. Raises `BuildProblem`."""
    run(
        [
            "minisign",
            "-S",
            "-s",
            key,
            "-m",
            folder / SUMS,
            "-x",
            folder / SIGNATURE,
            "-t",
            comment,
            "-c",
            "signature over SHA256SUMS",
        ]
    )
    return folder / SIGNATURE


def trial_key(folder: Path, work: Path) -> Path:
    """A throw-away key pair, one for each place of work; the public half lies beside the release, under a name that says what it is."""
    secret, public = work / "trial.key", work / "trial.pub"
    if not (secret.exists() and public.exists()):
        run(["minisign", "-G", "-f", "-W", "-p", public, "-s", secret])
    (folder / TRIAL_KEY).write_bytes(public.read_bytes())
    return secret


def public_key(work: Path, key: Path | None) -> Path:
    """The public half of the releaser's key, which lies beside it as `.pub`, or of the throw-away one. Raises `BuildProblem`."""
    if key is None:
        trial_key(work, work)
        return work / "trial.pub"
    public = key.with_suffix(".pub")
    if not public.is_file():
        raise BuildProblem(f"{public} isn't there. The public half of the key must lie beside the secret one.")
    return public
