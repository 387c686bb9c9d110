"""`assay pack`: hand a run to an auditor, and check what was handed over. Verifying needs no vault."""

from datetime import UTC, datetime
from pathlib import Path

import click

from core.cli.evals import run_lines
from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.cli.signing import signing
from core.errors import BadInput, Damaged
from core.evals.records import RunView
from core.evidence.records import ExportPack, Verdict
from core.evidence.verify import verify as verify_pack
from core.paths import write_whole
from core.records import Json
from core.trust import trustfile


@click.group()
def pack() -> None:
    """Evidence packs."""


@pack.command()
@click.argument("run", metavar="RUN")
@click.option("-o", "out", required=True, type=FILE, help="The pack to write.")
@click.option("--reason", default="", help="Why it is released; it is part of what is signed.")
@pass_session
def export(session: Session, run: str, out: Path, reason: str) -> None:
    """Write a run as a signed pack."""
    with session.workbench() as bench:
        view = bench.evals.show(run)
        name, text = f"{view.run.spec_reference}, {view.run.id}", release_text(view)
        with signing(session, bench, name, view.digest, text, "released", reason) as signer:
            request = ExportPack(run=view.run.id, out=str(out), reason=reason)
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
@pass_session
def verify(session: Session, file: Path, trust_path: Path | None) -> None:
    """Say valid, invalid or incomplete. Only valid exits 0."""
    if not file.is_file():
        raise BadInput(source=str(file), problem="there is no such file.")
    if trust_path is not None and not trust_path.is_file():
        raise BadInput(source=str(trust_path), problem="there is no such file.")
    known = _trusted(trust_path) if trust_path else trustfile.TrustFile(cards=(), logs=(), made="")
    with file.open("rb") as stream:
        verdict = verify_pack(stream, known, datetime.now(UTC))
    session.output.result(verdict_json(verdict), verdict_lines(verdict))
    if verdict.verdict != "valid":
        raise SystemExit(1)


def release_text(view: RunView) -> str:
    """What is released with a run: what it measured, by which result, and what goes with it."""
    result = view.result_digest or "none: it isn't over"
    rest = "With it go its spec, dataset, prompt versions, outcomes, the documents and models that it used, and the signatures on them."
    return "\n".join((*run_lines(view), "", f"Result {result}", rest))


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
    }


def verdict_lines(verdict: Verdict) -> list[str]:
    """The verdict first, then why, then who signed what."""
    lines = [verdict.verdict.upper(), *(f"  {reason}" for reason in verdict.reasons)]
    if verdict.signatures:
        lines += [
            "",
            *table(
                ("signed by", "as", "what", "when", "status"),
                [(s.name, s.meaning, s.subject, s.time, s.status) for s in verdict.signatures],
            ),
        ]
    return lines
