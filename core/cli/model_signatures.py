"""`assay model sign`, `export`, `verify` and the trusted keys: signatures on model files in the form of OpenSSF Model Signing."""

from pathlib import Path

import click
import msgspec

from core.cli.naming import option
from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.models import beside, signatures
from core.models.records import CheckModel, ExportModel, SignedModel, SignModel, TrustKey
from core.paths import write_whole
from core.trust.cards import grouped

REASON = click.option("--reason", default="", help="Why; it is part of what is signed and stands in the audit log.")


@click.command()
@click.argument("path", metavar="PATH", type=FILE)
@click.option(
    "-o", "--out", type=FILE, help="Where the signature goes; FILE.sig or FOLDER/model.sig where it isn't given."
)
@REASON
@pass_session
def sign(session: Session, path: Path, out: Path | None, reason: str) -> None:
    """Sign a model's file, or a folder such as an adapter's, for others to verify."""
    with session.workbench() as bench:
        request = SignModel(path=str(path), out=None if out is None else str(out), reason=reason)
        with session.signer(bench) as signer:
            signed = bench.signatures.sign(request, signer, session.output.job("Hashing"))
        _print(session, signed)


@click.command()
@click.argument("name")
@click.argument("folder", metavar="FOLDER", type=FILE)
@REASON
@pass_session
def export(session: Session, name: str, folder: Path, reason: str) -> None:
    """Copy a registered model's files into a new folder, with a signature over them."""
    with session.workbench() as bench:
        request = ExportModel(name=name, folder=str(folder), reason=reason)
        with session.signer(bench) as signer:
            signed = bench.signatures.export(request, signer, session.output.job("Copying"))
        _print(session, signed)


@click.command()
@click.option("-o", "--out", type=FILE, help="Write the key to this file instead.")
@pass_session
def key(session: Session, out: Path | None) -> None:
    """Your own public key for model files, as PEM: give it to whoever verifies what you sign."""
    with session.workbench() as bench, session.signer(bench) as signer:
        pem = signatures.public_key(signer)
    if out is not None:
        write_whole(out, pem.encode(), private=False)
    said = pem.splitlines() if out is None else [f"Written to {session.as_given(out)}."]
    session.output.result({"key": pem, "out": None if out is None else str(out)}, said)


@click.command()
@click.argument("path", metavar="PATH", type=FILE)
@click.option(
    "--key", "pem", type=FILE, required=True, help="The signer's public key, or the root certificate, as PEM."
)
@click.option("--signature", type=FILE, help="The signature, where it isn't beside the file or in the folder.")
@click.option("--ignore", "ignored", multiple=True, metavar="PART", help="What needn't be signed, below the folder.")
@pass_session
def verify(session: Session, path: Path, pem: Path, signature: Path | None, ignored: tuple[str, ...]) -> None:
    """Verify a signature on a model's file or folder. No vault is needed."""
    request = CheckModel(
        path=str(path), key=str(pem), signature=None if signature is None else str(signature), ignored=ignored
    )
    with option("--signature", field="step", says="Give its file"):
        found = beside.check(request, session.output.job("Hashing"))
    files = "1 file" if found.files == 1 else f"{found.files} files"
    session.output.result(
        msgspec.to_builtins(found),
        [
            f"Valid: {files} as signed, by the key {short(found.fingerprint)}.",
            f"Key (SHA-256): {grouped(found.fingerprint)}",
        ],
    )


@click.command()
@click.argument("name")
@click.argument("pem", metavar="FILE", type=FILE)
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def trust(session: Session, name: str, pem: Path, reason: str) -> None:
    """Trust a public key, or a root certificate, for signatures on model files."""
    with session.workbench() as bench:
        added = bench.signatures.trust(TrustKey(name=name, path=str(pem), reason=reason))
        session.output.result(
            msgspec.to_builtins(added),
            [f"{added.name} is trusted for signatures on model files.", f"Key (SHA-256): {grouped(added.fingerprint)}"],
        )


@click.command()
@click.argument("name")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def distrust(session: Session, name: str, reason: str) -> None:
    """Trust a key no more."""
    with session.workbench() as bench:
        bench.signatures.distrust(name, reason)
        session.output.result({"key": name}, [f"{name} is trusted no more. What it verified stays as it was recorded."])


@click.command()
@pass_session
def keys(session: Session) -> None:
    """The keys that are trusted for signatures on model files."""
    with session.workbench() as bench:
        known = bench.signatures.keys()
        session.output.result(
            {"keys": [msgspec.to_builtins(key) for key in known]},
            table(
                ("name", "fingerprint", "by", "added"),
                [(key.name, short(key.fingerprint), key.by, key.added) for key in known],
            ),
        )


def _print(session: Session, signed: SignedModel) -> None:
    session.output.result(
        msgspec.to_builtins(signed),
        [
            f"Signed {'1 file' if len(signed.files) == 1 else f'{len(signed.files)} files'}: {signed.signature}",
            f"Your key (SHA-256): {grouped(signed.fingerprint)}",
            "`assay model key` prints the key that others verify it with.",
        ],
    )


COMMANDS = (sign, export, key, verify, trust, distrust, keys)
