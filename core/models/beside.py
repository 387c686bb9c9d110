"""Whether a signature beside a model's files holds, and for whom.

Rules: a signature counts for the key that somebody gave, or for one that the vault trusts. One that nobody here trusts is no error, and no
proof: it is recorded as unchecked. One that is wrong is an error, whoever made it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import BadInput, NotFound, Unsupported
from core.jobs import Job
from core.models import manifests, store
from core.models.records import CheckModel, VerifiedModel
from core.records import Digest
from core.trust import model_signing
from core.trust.chains import OtherKey
from core.vault.unit import Reader

VALID: Final = "valid"
UNCHECKED: Final = "unchecked"


def check(request: CheckModel, job: Job | None = None) -> VerifiedModel:
    """Verify a file or folder by its signature and the key given; no vault is needed. Raises as `verified`."""
    pem = small(Path(request.key), "key")
    signature = Path(request.signature).absolute() if request.signature else None
    return verified(Path(request.path).absolute(), pem, signature, job, request.ignored)


def verified(
    path: Path, pem: bytes, signature: Path | None = None, job: Job | None = None, ignored: Sequence[str] = ()
) -> VerifiedModel:
    """The same with a key at hand, and the signature that lies beside the file where none is given.

    Raises `Damaged`, `OtherKey` (by another key), `Unsupported`, `NotFound`, `Cancelled`."""
    signature = signature or manifests.beside(path)
    if not path.exists():
        raise NotFound(kind="file or folder", name=str(path), step="Check the path.")
    if signature is None:
        raise NotFound(kind="signature beside", name=str(path), step="Give its file.")
    bundle = small(signature, "signature", model_signing.LARGEST_BUNDLE)
    manifest = model_signing.verify(bundle, pem, signature.name)
    count = manifests.compare(path, manifest, signature, job, tuple(ignored))
    return VerifiedModel(
        signature=str(signature), fingerprint=model_signing.fingerprint(pem, "key"), model=manifest.model, files=count
    )


def beside_model(
    reader: Reader,
    files: Sequence[tuple[Path, Digest]],
    signature: str | None,
    key: str | None,
    job: Job | None,
) -> tuple[str, str]:
    """What a signature that lies beside a model's files says of them, and by whom: `VALID` by a trusted key, `UNCHECKED`, or nothing.

    Raises `Damaged` when it is wrong, `OtherKey` when it isn't by the key given, `NotFound`."""
    where = Path(signature).absolute() if signature is not None else manifests.beside(files[0][0])
    if where is None:
        if key is not None:
            raise NotFound(kind="signature beside", name=str(files[0][0]), step="Give its file.")
        return "", ""
    bundle = small(where, "signature", model_signing.LARGEST_BUNDLE)
    if key is not None:
        pem = small(Path(key), "key")
        manifests.covers(model_signing.verify(bundle, pem, where.name), where, files, job)
        return VALID, f"the key {model_signing.fingerprint(pem, Path(key).name)}"
    try:
        for known in store.keys(reader):
            try:
                manifest = model_signing.verify(bundle, known.pem.encode(), where.name)
            except OtherKey:
                continue
            manifests.covers(manifest, where, files, job)
            return VALID, known.name
        return UNCHECKED, model_signing.signer(bundle, where.name)
    except Unsupported as error:
        return UNCHECKED, str(error)


def small(path: Path, kind: str, most: int = model_signing.LARGEST_PEM) -> bytes:
    """The whole content of a file of at most that many bytes. Raises `NotFound`, `BadInput`."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise NotFound(kind=f"{kind} file", name=str(path), step="Check the path and its rights.") from error
    if len(content) > most:
        raise BadInput(source=path.name, problem=f"too large for a {kind}. Choose another file.")
    return content
