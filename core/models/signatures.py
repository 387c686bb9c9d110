"""Signatures on model files (OpenSSF Model Signing): making them, verifying them, and the keys that a vault trusts.

Rules: a signature counts for a key that somebody gave, or that an administrator named here; whom a signature names of itself counts for
nothing. A person signs with a P-256 key made from their own signing keys, after their passphrase; since a card doesn't show that key, their
card's signature on the record of it says whose it is. What is exported is the registered content: it is hashed again while it is copied.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from core.errors import AlreadyExists, BadInput, Changed, NotFound
from core.jobs import Job
from core.models import beside, manifests, store
from core.models.records import (
    FAKE,
    ExportModel,
    ModelKey,
    ModelSignature,
    SignedFile,
    SignedModel,
    SignModel,
    TrustKey,
)
from core.models.service import Models
from core.paths import sync_folder, write_whole
from core.records import Digest, now
from core.trust import model_signing
from core.trust.model_signing import Manifest
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.vault import Vault
from core.vault.versions import check_name

PIECE: Final = 1024 * 1024


class ModelSignatures:
    """The operations on signatures of model files, in an open vault."""

    def __init__(self, vault: Vault, models: Models) -> None:
        self._vault = vault
        self._models = models

    def keys(self) -> tuple[ModelKey, ...]:
        """The keys and certificates that this vault trusts, by name."""
        with self._vault.read() as reader:
            return store.keys(reader)

    def trust(self, request: TrustKey) -> ModelKey:
        """Trust a public key, or a root certificate, for signatures on model files. Raises `AlreadyExists`, `BadInput`, `NotFound`, `Refused`."""
        check_name("key", request.name)
        pem = beside.small(Path(request.path), "key")
        key = ModelKey(
            name=request.name,
            pem=pem.decode("utf-8", "replace"),
            fingerprint=model_signing.fingerprint(pem, Path(request.path).name),
            by=self._vault.user.user,
            added=now(),
        )
        with self._vault.write(Act.TRUST_KEY, about=key.name, reason=request.reason) as unit:
            for known in store.keys(unit):
                if key.name == known.name or key.fingerprint == known.fingerprint:
                    raise AlreadyExists(kind="key", name=known.name, step="`assay model keys` shows the trusted ones.")
            store.insert_key(unit, key)
            unit.note(after=f"{key.name}: {key.fingerprint}")
        return key

    def distrust(self, name: str, reason: str = "") -> None:
        """Trust a key no more; what was verified with it stays as it was recorded. Raises `NotFound`, `Refused`."""
        with self._vault.write(Act.TRUST_KEY, about=name, reason=reason) as unit:
            known = {key.name: key for key in store.keys(unit)}
            if name not in known:
                raise NotFound(kind="trusted key", name=name, step="`assay model keys` shows the trusted ones.")
            store.delete_key(unit, name)
            unit.note(before=f"{name}: {known[name].fingerprint}")

    def sign(self, request: SignModel, signer: Signer, job: Job | None = None) -> SignedModel:
        """Sign a file, or a folder with all in it, such as an adapter's; the signature goes beside the file or into the folder.

        Raises `NotFound`, `BadInput`, `AlreadyExists` (a signature), `Refused`, `Cancelled`, `DiskFull`."""
        path = Path(request.path).absolute()
        out = path / manifests.SIGNATURE if path.is_dir() else path.with_name(path.name + ".sig")
        if request.out is not None:
            out = Path(request.out).absolute()
        if out.exists():
            raise AlreadyExists(kind="signature", name=str(out), step="Take it away, or choose another place.")
        inside = [out.relative_to(path).as_posix()] if out.is_relative_to(path) else []
        manifest = manifests.take(path, job, inside)
        return self._signed(manifest, path.name, out, request.reason, signer)

    def export(self, request: ExportModel, signer: Signer, job: Job | None = None) -> SignedModel:
        """Copy a registered model's files into a new folder, with a signature over them.

        Raises `NotFound`, `AlreadyExists` (the folder), `Changed`, `BadInput`, `Refused`, `Cancelled`, `DiskFull`."""
        model = self._models.show(request.name)
        folder = Path(request.folder).absolute()
        if model.name == FAKE:
            raise BadInput(source=FAKE, problem="the built-in model has no file. Choose a registered one.")
        if folder.exists():
            raise AlreadyExists(kind="folder", name=str(folder), step="Choose one that isn't there yet.")
        digests = [part.digest for part in model.parts] or [model.digest]
        try:
            folder.mkdir(mode=0o755)
        except OSError as error:
            raise NotFound(kind="writable folder", name=str(folder.parent), step="Choose another place.") from error
        try:
            done = 0
            for path, digest in zip(map(Path, model.files), digests, strict=True):
                if _copied(path, folder / path.name, done, model.size, job) != digest:
                    raise Changed(source=str(path), since=model.added[:10])
                done += path.stat().st_size
            names = [Path(path).name for path in model.files]
            resources = tuple(
                model_signing.Resource(name, "sha256", digest) for name, digest in zip(names, digests, strict=True)
            )
            manifest = Manifest(
                model=model.name, resources=resources, ignored=(manifests.SIGNATURE, *manifests.LEFT_OUT)
            )
            return self._signed(manifest, model.name, folder / manifests.SIGNATURE, request.reason, signer)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _signed(self, manifest: Manifest, name: str, out: Path, reason: str, signer: Signer) -> SignedModel:
        key = model_signing.signing_key(signer.keys)
        bundle = model_signing.sign(manifest, key)
        pem = model_signing.public_pem(key.public_key()).decode()
        files = tuple(SignedFile(name=found.name, digest=Digest(found.digest)) for found in manifest.resources)
        record = ModelSignature(
            name=name,
            files=files,
            key=pem,
            bundle=bundle.decode(),
            author=self._vault.user.user,
            signed=now(),
        )
        with self._vault.write(Act.SIGN_MODEL, about=name, reason=reason) as unit:
            digest = unit.put(record)
            unit.sign(signer, digest, f"the signature on {name}", "released", reason)
            unit.note(after=f"sha256 {hashlib.sha256(bundle).hexdigest()}")
            write_whole(out, bundle, private=False)
        return SignedModel(
            signature=str(out),
            key=pem,
            fingerprint=model_signing.fingerprint(pem.encode(), name),
            files=files,
            record=digest,
        )


def public_key(signer: Signer) -> str:
    """The PEM of a person's key for model files, to be given to whoever verifies."""
    return model_signing.public_pem(model_signing.signing_key(signer.keys).public_key()).decode()


def _copied(source: Path, out: Path, before: int, total: int, job: Job | None) -> Digest:
    """Copy a file; the SHA-256 of what was copied."""
    hashed = hashlib.sha256()
    try:
        with source.open("rb") as read, out.open("xb") as written:
            while piece := read.read(PIECE):
                hashed.update(piece)
                written.write(piece)
                before += len(piece)
                if job is not None:
                    job.report(before, total, "bytes")
            written.flush()
        sync_folder(out.parent)
    except FileNotFoundError as error:
        raise NotFound(kind="file", name=str(source), step="Put it back, or register the model again.") from error
    return Digest(hashed.hexdigest())
