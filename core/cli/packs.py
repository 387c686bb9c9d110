"""`assay pack`: hand a run to an auditor, and check what was handed over. Verifying needs no vault."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from core.cli.evals import run_lines
from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.cli.signing import signing
from core.errors import AlreadyExists, BadInput, Damaged
from core.evals.records import RunView
from core.evidence import redaction, sealing, zipform
from core.evidence.asked import with_nonce
from core.evidence.given_away import some
from core.evidence.opened import REPORT
from core.evidence.personal import KINDS
from core.evidence.records import ExportPack, LostMetric, Verdict
from core.evidence.redaction import FIELDS, Preview, Request
from core.evidence.verify import verify as verify_pack
from core.evidence.zipform import LARGEST
from core.paths import write_whole
from core.records import Json
from core.trust import trustfile
from core.trust.cards import grouped


@click.group()
def pack() -> None:
    """Evidence packs."""


@pack.command()
@click.argument("run", metavar="RUN")
@click.option("-o", "out", required=True, type=FILE, help="The pack to write.")
@click.option("--reason", default="", help="Why it is released; it is part of what is signed.")
@click.option(
    "--nonce",
    default="",
    help="What an auditor asked to find in it, to know that it isn't older; it is part of what is signed.",
)
@click.option("--without-reasons", is_flag=True, help="Withhold what people wrote beside their marks; the marks stay.")
@pass_session
def export(session: Session, run: str, out: Path, reason: str, nonce: str, without_reasons: bool) -> None:
    """Write a run as a signed pack."""
    with session.workbench() as bench:
        view = bench.evals.show(run)
        name, text = f"{view.run.spec_reference}, {view.run.id}", release_text(view, nonce)
        with signing(session, bench, name, view.digest, text, "released", reason) as signer:
            request = ExportPack(run=view.run.id, out=str(out), reason=reason, nonce=nonce, reasons=not without_reasons)
            info = bench.evidence.export(request, signer, session.output.job("Packing"))
        session.output.result(
            {"pack": session.as_given(out), "sha256": info.sha256, "size": info.size},
            [f"Wrote {session.as_given(out)}: {info.size / 1e3:.0f} kB, SHA-256 {short(info.sha256)}."],
        )


@pack.command("trust")
@click.option("-o", "out", required=True, type=FILE, help="The trust file to write.")
@pass_session
def trust(session: Session, out: Path) -> None:
    """Write the people's cards, which of them were revoked, and the log's key, for an auditor to receive beforehand and by another way."""
    with session.workbench() as bench:
        content = bench.vault.trust_file()
        write_whole(out, trustfile.dump(content), private=False)
        session.output.result(
            {"trust": session.as_given(out), "cards": len(content.cards), "revoked": len(content.revoked)},
            [f"Wrote {session.as_given(out)} with {len(content.cards)} cards, {len(content.revoked)} of them revoked."],
        )


@pack.command()
@click.argument("file", type=FILE)
@click.option("--trust", "trust_path", type=FILE, help="The trust file, obtained beforehand.")
@click.option("--nonce", default="", help="What you asked to find in the release; a pack without it is invalid.")
@pass_session
def verify(session: Session, file: Path, trust_path: Path | None, nonce: str) -> None:
    """Say valid, invalid or incomplete. Only valid exits 0."""
    if not file.is_file():
        raise BadInput(source=str(file), problem="there is no such file.")
    if trust_path is not None and not trust_path.is_file():
        raise BadInput(source=str(trust_path), problem="there is no such file.")
    known = _trusted(trust_path) if trust_path else trustfile.TrustFile(cards=(), logs=(), made="")
    with file.open("rb") as stream:
        verdict = verify_pack(stream, known, datetime.now(UTC))
    verdict = with_nonce(verdict, nonce)
    session.output.result(verdict_json(verdict), verdict_lines(verdict))
    if verdict.verdict != "valid":
        raise SystemExit(1)


@pack.command()
@click.argument("file", metavar="PACK", type=FILE)
@click.option("-o", "out", type=FILE, help="The redacted pack to write.")
@click.option(
    "--field", "fields", multiple=True, metavar="FIELD", help=f"A field: {', '.join(FIELDS)}, or a field's own name."
)
@click.option(
    "--sample",
    "samples",
    multiple=True,
    metavar="ID",
    help="Only of this sample, and all of it where nothing else is named.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only of samples with this tag.")
@click.option("--document", "documents", multiple=True, metavar="NAME", help="What tells of this document.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help="Fields that hold personal data of this kind.",
)
@click.option("--text", "texts", multiple=True, metavar="TEXT", help="Fields that hold this text, for example a name.")
@click.option("--report", type=FILE, help="Write report.html here, made again from what stays open.")
@click.option("--preview", "only_preview", is_flag=True, help="Say what would go, and write nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_session
def redact(
    session: Session,
    file: Path,
    out: Path | None,
    fields: tuple[str, ...],
    samples: tuple[str, ...],
    tags: tuple[str, ...],
    documents: tuple[str, ...],
    kinds: tuple[str, ...],
    texts: tuple[str, ...],
    report: Path | None,
    only_preview: bool,
    yes: bool,
) -> None:
    """Withhold parts of a pack. What remains verifies under the same signatures; scores, counts and criteria can't be withheld."""
    if out is None and not only_preview:
        raise click.UsageError("Give the file to write with -o, or --preview.")
    data = _content(file, LARGEST)
    request = Request(fields=fields, samples=samples, tags=tags, documents=documents, kinds=kinds, texts=texts)
    told = redaction.preview(data, request)
    content = preview_json(told)
    if only_preview or out is None:
        session.output.result(content, preview_lines(told))
        return
    for line in preview_lines(told):
        session.output.say(line)
    left = redaction.redact(data, request)
    if not yes and not session.agrees("Write the redacted pack?", "Look at it with --preview, then give --yes."):
        session.output.say("Nothing was written.")
        raise SystemExit(1)
    write_whole(out, left)
    if report is not None:
        write_whole(report, redaction.rendered(left)[REPORT])
    content |= {"pack": session.as_given(out), "sha256": hashlib.sha256(left).hexdigest(), "size": len(left)}
    line = f"Wrote {session.as_given(out)}: {len(left) / 1e3:.0f} kB. It is a redaction of the pack with the manifest {short(told.of)}."
    session.output.result(content, [line])


@pack.command()
@click.option(
    "-o", "out", required=True, type=FILE, help="The private file to write; the public one gets `.pub` at its end."
)
@click.option("--name", default="", help="Whose it is, for those who seal to it.")
@pass_session
def keys(session: Session, out: Path, name: str) -> None:
    """Make an auditor's pair of keys, to which packs can be sealed. Needs no vault."""
    public = out.with_name(f"{out.name}.pub")
    for path in (out, public):
        if path.exists():
            raise AlreadyExists(kind="file", name=str(path), step="Choose another name.")
    made = sealing.make_keys(name or out.stem, session.passphrase("Passphrase for the auditor's keys", confirm=True))
    write_whole(out, sealing.dump(made))
    write_whole(public, sealing.dump(made.public_half), private=False)
    session.output.result(
        {
            "keys": session.as_given(out),
            "public": f"{session.as_given(out)}.pub",
            "name": made.name,
            "fingerprint": made.public_half.fingerprint,
        },
        [
            f"Wrote {session.as_given(out)}, which stays with you, and {session.as_given(out)}.pub, to hand out.",
            f"Fingerprint, to read aloud to who seals: {grouped(made.public_half.fingerprint)}",
        ],
    )


@pack.command()
@click.argument("file", metavar="PACK", type=FILE)
@click.option("--to", "public", required=True, type=FILE, help="The public file of the auditor's keys.")
@click.option("-o", "out", required=True, type=FILE, help="The sealed pack to write.")
@pass_session
def seal(session: Session, file: Path, public: Path, out: Path) -> None:
    """Seal a pack to an auditor, so that only they open it. Needs no vault."""
    to = sealing.load_public(_content(public, sealing.LARGEST_KEYS), session.as_given(public))
    data = _content(file, LARGEST)
    zipform.read(data)
    write_whole(out, b"".join(sealing.seal_pack(data, to)))
    session.output.result(
        {"sealed": session.as_given(out), "to": to.name, "fingerprint": to.fingerprint},
        [
            f"Wrote {session.as_given(out)}, for {to.name} alone.",
            f"Compare the key's fingerprint with its holder: {grouped(to.fingerprint)}",
        ],
    )


@pack.command("open")
@click.argument("file", metavar="SEALED", type=FILE)
@click.option("--keys", "keys_path", required=True, type=FILE, help="The private file of your keys.")
@click.option("-o", "out", required=True, type=FILE, help="The pack to write.")
@pass_session
def open_sealed(session: Session, file: Path, keys_path: Path, out: Path) -> None:
    """Open a pack that was sealed to you, whole or not at all. Needs no vault. It is verified afterwards, as any other."""
    own = sealing.load_keys(_content(keys_path, sealing.LARGEST_KEYS), session.as_given(keys_path))
    data = sealing.open_pack(
        _content(file, sealing.LARGEST_SEALED), own, session.passphrase("Passphrase of the auditor's keys")
    )
    write_whole(out, data)
    session.output.result(
        {"pack": session.as_given(out), "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)},
        [f"Wrote {session.as_given(out)}: {len(data) / 1e3:.0f} kB. Verify it now."],
    )


def _content(path: Path, largest: int) -> bytes:
    """The file, one byte more than it may have at most."""
    if not path.is_file():
        raise BadInput(source=str(path), problem="there is no such file.")
    with path.open("rb") as stream:
        return stream.read(largest + 1)


def preview_json(told: Preview) -> dict[str, Json]:
    """The interface's form of a preview."""
    return {
        "redaction_of": told.of,
        "openings": told.openings,
        "left": told.left,
        "fields": {field.field: field.count for field in told.fields},
        "samples": list(told.samples),
        "renderings": list(told.renderings),
        "lost": _lost_json(told.lost),
        "warnings": list(told.warnings),
    }


def preview_lines(told: Preview) -> list[str]:
    """What goes, which figures suffer, and what can still be worked out."""
    if not told.openings:
        return ["The pack holds nothing of that."]
    lines = [f"{told.openings} fields are withheld, {told.left} that could be stay open."]
    lines += table(("field", "withheld"), [(field.field, str(field.count)) for field in told.fields])
    if told.samples:
        lines.append(f"Of {len(told.samples)} samples: {some(list(told.samples))}.")
    lines.append(f"The files that show everything go too: {', '.join(told.renderings) or 'they are gone already'}.")
    return [*lines, *_lost_lines(told.lost), *(f"Mind: {warning}" for warning in told.warnings)]


def _lost_json(lost: Sequence[LostMetric]) -> list[Json]:
    return [{"variant": m.variant, "metric": m.metric, "samples": m.samples, "of": m.of} for m in lost]


def _lost_lines(lost: Sequence[LostMetric]) -> list[str]:
    return [f"{m.metric} of {m.variant}: {m.samples} of {m.of} scores can't be worked out again." for m in lost]


def release_text(view: RunView, nonce: str = "") -> str:
    """What is released with a run: what it measured, by which result, and what goes with it."""
    result = view.result_digest or "none: it isn't over"
    rest = "With it go its spec, dataset, prompt versions, outcomes, the documents and models that it used, and the signatures on them."
    if any(variant.settings is not None and variant.settings.adapters for variant in view.run.variants):
        rest += " So do the trainings of its adapters, with the datasets that they learned from."
    asked = (f"Nonce that an auditor asked for: {nonce}",) if nonce else ()
    return "\n".join((*run_lines(view), "", f"Result {result}", rest, *asked))


def _trusted(path: Path) -> trustfile.TrustFile:
    """The trust file. What is wrong with it is said with its path."""
    try:
        return trustfile.load(path.read_bytes())
    except Damaged as error:
        raise Damaged(source=str(path), problem=f"not a trust file that can be used. {error}") from error


def verdict_json(verdict: Verdict) -> dict[str, Json]:
    """The interface's form of a verdict."""
    return {
        "verdict": verdict.verdict,
        "reasons": list(verdict.reasons),
        "signatures": [
            {
                "name": s.name,
                "meaning": s.meaning,
                "time": s.time,
                "subject": s.subject,
                "reason": s.reason,
                "status": s.status,
            }
            for s in verdict.signatures
        ],
        "nonce": verdict.nonce,
        "redaction_of": verdict.redaction_of,
        "withheld": {field.field: field.count for field in verdict.fields},
        "lost": _lost_json(verdict.lost),
    }


def verdict_lines(verdict: Verdict) -> list[str]:
    """The verdict first, then why, then who signed what."""
    lines = [verdict.verdict.upper(), *(f"  {reason}" for reason in verdict.reasons)]
    if verdict.nonce:
        lines.append(f"The release holds the nonce {verdict.nonce}")
    if verdict.withheld:
        lines.append(f"A redaction of the pack with the manifest {verdict.redaction_of}.")
        lines += [f"  withheld: {field.field}, {field.count} times" for field in verdict.fields]
        lines += [f"  {line}" for line in _lost_lines(verdict.lost)]
    if verdict.signatures:
        lines += [
            "",
            *table(
                ("signed by", "as", "what", "when", "status"),
                [(s.name, s.meaning, s.subject, s.time, s.status) for s in verdict.signatures],
            ),
        ]
    return lines
