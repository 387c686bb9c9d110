"""Signatures on model files, as the window makes and checks them off the UI thread."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Changed, NotFound
from core.models.records import ExportModel, ModelKey, SignedFile, SignedModel, SignModel, VerifiedModel
from core.records import Digest, now

if TYPE_CHECKING:
    from core.jobs import Job
    from core.vault.signing import Signer
    from core.workbench import Workbench

ALONE = "."
"""What a signature calls a model that is one file."""


@dataclass(frozen=True)
class Hashed:
    """A file or folder that shall be signed, with the digests of what is in it."""

    path: str
    files: tuple[SignedFile, ...]

    @property
    def text(self) -> str:
        """What is signed, a line a file, as `sha256sum` writes it."""
        own = Path(self.path).name
        return "".join(f"{one.digest}  {own if one.name == ALONE else one.name}\n" for one in self.files)


@dataclass(frozen=True)
class Verified:
    """A signature that holds, and the trusted key's name, or the file of the key that was given."""

    by: str
    found: VerifiedModel


def keys(bench: "Workbench", job: "Job") -> tuple[ModelKey, ...]:
    """The keys that this vault trusts."""
    return bench.signatures.keys()


def hashed(bench: "Workbench", job: "Job", path: str) -> Hashed:
    """Read what shall be signed. Raises `NotFound`, `BadInput`, `Cancelled`."""
    from core.models import manifests

    where = Path(path).absolute()
    if where.is_dir():
        ignored = [manifests.SIGNATURE]
        manifest = manifests.take(where, job, ignored)
    else:
        manifest = manifests.take(where, job)
    files = tuple(SignedFile(name=found.name, digest=Digest(found.digest)) for found in manifest.resources)
    return Hashed(str(where), files)


def sign(bench: "Workbench", job: "Job", what: Hashed, reason: str, signer: "Signer") -> SignedModel:
    """Sign what was read. Raises `Changed` where it is something else by now, and takes the signature away again; and as the core."""
    signed = bench.signatures.sign(SignModel(path=what.path, reason=reason), signer, job)
    if signed.files != what.files:
        Path(signed.signature).unlink(missing_ok=True)
        raise Changed(source=what.path, since=now()[:10])
    return signed


def export(bench: "Workbench", job: "Job", name: str, folder: str, reason: str, signer: "Signer") -> SignedModel:
    """Copy a registered model into a new folder, signed."""
    return bench.signatures.export(ExportModel(name=name, folder=folder, reason=reason), signer, job)


def verify(bench: "Workbench", job: "Job", path: str, key: str) -> Verified:
    """Check the signature beside a file or in a folder, by the key in a file, or by whichever trusted key it is of.

    Raises `NotFound` where no trusted key made it, `Damaged`, `Unsupported`, `Cancelled`."""
    from core.models import beside
    from core.trust.chains import OtherKey

    where = Path(path).absolute()
    if key:
        return Verified(Path(key).name, beside.verified(where, beside.small(Path(key), "key"), job=job))
    for known in keys(bench, job):
        try:
            return Verified(known.name, beside.verified(where, known.pem.encode(), job=job))
        except OtherKey:
            continue
    raise NotFound(
        kind="trusted key that signed",
        name=where.name,
        step="Give the signer’s key, or have an administrator trust it.",
    )
