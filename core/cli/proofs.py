"""`assay audit`: proofs about the log for people without the vault, and its witnesses.

`verify` and `witness` need no vault: an auditor runs the one, another machine the other.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from core.cli.naming import option
from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.errors import AlreadyExists, BadInput, Damaged
from core.paths import alone, write_whole
from core.records import Json
from core.trust import proofs, trustfile, witnessing
from core.trust.canonical import record_from
from core.trust.notes import (
    Checkpoint,
    LogKey,
    WitnessKey,
    cosignatures,
    read_checkpoint,
    verify_checkpoint,
    witness_key_from,
)
from core.trust.passphrases import new_kdf
from core.vault import users, witnesses
from core.vault.records import LogEntry
from core.vault.trail_export import FORMAT, verify_export

LARGEST = 1 << 30
"""Bytes of a file that is verified: an export of a million entries has about one."""


@click.command("prove")
@click.argument("entry", type=click.IntRange(min=0))
@click.option("-o", "out", type=FILE, help="The file to write; printed where none is given.")
@pass_session
def prove(session: Session, entry: int, out: Path | None) -> None:
    """Prove to somebody without the vault that ENTRY stands in the log."""
    with session.workbench() as bench:
        proof = witnesses.prove(bench.vault, entry)
        given = _put(session, out, proof)
    size = read_checkpoint(proofs.read_inclusion(proof).checkpoint).size
    session.output.result(
        {"file": given, "entry": entry, "size": size, "proof": proof.decode()},
        [f"Wrote {given}: entry {entry} of {size}." if given else proof.decode().rstrip()],
    )


@click.command("consistency")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("-o", "out", type=FILE, help="Write the proof, for somebody without the vault.")
@pass_session
def consistency(session: Session, old: Path, new: Path, out: Path | None) -> None:
    """Show that checkpoint NEW extends checkpoint OLD, both of this vault's log."""
    with session.workbench() as bench:
        proof = witnesses.consistency(bench.vault, _content(old), _content(new))
        given = _put(session, out, proof)
    earlier, later = read_checkpoint(_content(old)).size, read_checkpoint(_content(new)).size
    session.output.result(
        {"file": given, "old": earlier, "new": later},
        [f"The log of {later} entries begins with that of {earlier}.", *([f"Wrote {given}."] if given else [])],
    )


@click.command("verify")
@click.argument("file", type=FILE)
@click.option("--trust", "trust_path", type=FILE, help="The trust file, obtained beforehand.")
@click.option("--old", type=FILE, help="For a consistency proof: the earlier checkpoint.")
@click.option("--witness", "vkeys", multiple=True, metavar="KEY", help="A witness's key, obtained beforehand.")
@click.option("--needed", default=0, type=click.IntRange(min=0), help="How many of the witnesses must have cosigned.")
@pass_session
def verify(
    session: Session, file: Path, trust_path: Path | None, old: Path | None, vkeys: tuple[str, ...], needed: int
) -> None:
    """Check a proof, a checkpoint or an export of the log in JSON: valid, invalid or incomplete. Only valid exits 0."""
    data = _content(file)
    trust = _trusted(trust_path) if trust_path else trustfile.TrustFile(cards=(), logs=(), made="")
    keys = tuple(witness_key_from(vkey) for vkey in vkeys)
    told: dict[str, Json] = {}
    try:
        origin = proofs.origin(data) if not _is_export(data) and not _is_note(data) else ""
        origin = origin or (read_checkpoint(data).origin if _is_note(data) else verify_export(data, None)[0].origin)
        key = trust.log(origin)
        if key is None:
            verdict, reasons = "incomplete", [f"The log {origin} isn't in the trust file."]
        else:
            told, open_points = _verified(data, key, _content(old) if old else None, keys, needed)
            verdict, reasons = ("incomplete" if open_points else "valid"), open_points
    except Damaged as error:
        verdict, reasons = "invalid", [str(error)]
    session.output.result(
        {"verdict": verdict, "reasons": list(reasons), **told},
        [
            verdict.upper(),
            *(f"  {reason}" for reason in reasons),
            *(f"  {name}: {value}" for name, value in _lines(told)),
        ],
    )
    if verdict != "valid":
        raise SystemExit(1)


@click.command("request")
@click.option("-o", "out", required=True, type=FILE, help="The request to write, for the witness's machine.")
@click.option("--to", "witness_name", default="", metavar="NAME", help="The witness; where there are several.")
@click.option("--since", type=click.IntRange(min=0), help="How many entries the witness saw last, where it says so.")
@pass_session
def request(session: Session, out: Path, witness_name: str, since: int | None) -> None:
    """Write what a witness is to cosign: the log's checkpoint, and the proof that it continues what the witness saw."""
    with session.workbench() as bench:
        with option("--since 0", field="step", says="begin at 0"):
            asked = witnesses.request(bench.vault, witness_name, since)
        write_whole(out, asked, private=False)
    read = proofs.read_extension(asked)
    size = read_checkpoint(read.checkpoint).size
    session.output.result(
        {"file": session.as_given(out), "old": read.old, "size": size},
        [f"Wrote {session.as_given(out)}: {size} entries, {read.old} of them seen by the witness."],
    )


@click.command("witness-key")
@click.argument("name")
@click.option("-o", "out", required=True, type=FILE, help="The key file to write.")
@pass_session
def witness_key(session: Session, name: str, out: Path) -> None:
    """Make a key for a witness NAME, sealed under a passphrase; no vault is needed."""
    if out.exists():
        raise AlreadyExists(kind="file", name=session.as_given(out), step="A witness's key is never replaced.")
    passphrase = session.passphrase(f"New passphrase of the witness {name}", confirm=True)
    users.check_passphrase(passphrase)
    key, content = witnessing.new_key_file(name, passphrase, new_kdf())
    write_whole(out, content)
    session.output.result(
        {"file": session.as_given(out), "name": key.name, "key": key.vkey},
        [f"Wrote {session.as_given(out)}. The key to hand out:", key.vkey],
    )


@click.command("witness")
@click.argument("asked", metavar="REQUEST", type=FILE)
@click.option("--key", "key_path", required=True, type=FILE, help="The witness's key file.")
@click.option("--state", "state_path", required=True, type=FILE, help="What the witness remembers.")
@click.option("--trust", "trust_path", type=FILE, help="The trust file of a vault whose log is new to the witness.")
@click.option("-o", "out", required=True, type=FILE, help="The cosigned checkpoint to write.")
@pass_session
def witness(
    session: Session, asked: Path, key_path: Path, state_path: Path, trust_path: Path | None, out: Path
) -> None:
    """Cosign a log's checkpoint, if it continues what was cosigned before. For another machine than the vault's."""
    passphrase = session.passphrase("Passphrase of the witness")
    own, private = witnessing.open_key_file(_content(key_path), passphrase, session.as_given(key_path))
    trusted = _trusted(trust_path).logs if trust_path else ()
    with alone(state_path):
        kept = _content(state_path) if state_path.exists() else None
        state = witnessing.read_state(kept, own, session.as_given(state_path))
        with option("--trust", field="step", says="give its trust file"):
            later, note = witnessing.witnessed(_content(asked), state, private, trusted, int(time.time()))
        write_whole(state_path, witnessing.write_state(later))
        write_whole(out, note, private=False)
    point = read_checkpoint(note)
    session.output.result(
        {"file": session.as_given(out), "origin": point.origin, "size": point.size, "witness": own.name},
        [f"Wrote {session.as_given(out)}: {own.name} vouches for {point.size} entries of {point.origin}."],
    )


@click.command("accept")
@click.argument("file", type=FILE)
@click.option("--witness", "vkeys", multiple=True, metavar="KEY", help="The key of a witness that is new here.")
@pass_session
def accept(session: Session, file: Path, vkeys: tuple[str, ...]) -> None:
    """Keep a checkpoint that a witness cosigned."""
    with session.workbench() as bench, option("--witness", field="problem", says="Give the witness's key"):
        new = witnesses.accept(bench.vault, _content(file), vkeys)
    session.output.result(
        {"accepted": [_cosigned(found) for found in new]},
        _cosigned_table(new) if new else ["It is kept already."],
    )


@click.command("witnesses")
@pass_session
def list_witnesses(session: Session) -> None:
    """Which states of the log were vouched for, and by whom."""
    with session.workbench() as bench, bench.vault.read() as reader:
        known = witnesses.accepted(reader)
    session.output.result({"witnessed": [_cosigned(found) for found in known]}, _cosigned_table(known))


COMMANDS = (prove, verify, consistency, request, witness_key, witness, accept, list_witnesses)


def _verified(
    data: bytes, key: LogKey, old: bytes | None, keys: tuple[WitnessKey, ...], needed: int
) -> tuple[dict[str, Json], list[str]]:
    """What was proven, and what is left open."""
    if _is_export(data):
        point, entries = verify_export(data, key)
        if needed:
            raise BadInput(source="--needed", problem="an export isn't cosigned. Verify a checkpoint or a proof.")
        missing = [f"{entries} of the {point.size} entries are in it; the root can't be recomputed from these."]
        return {**_point(point), "entries": entries}, missing if entries < point.size else []
    if _is_note(data):
        point = verify_checkpoint(data, key, keys, needed)
        return {**_point(point), "witnesses": _vouched(data, keys)}, []
    if proofs.is_inclusion(data):
        inclusion = proofs.read_inclusion(data)
        point = proofs.verify_inclusion(inclusion, key, keys, needed)
        entry, _ = record_from(inclusion.entry, LogEntry)
        if entry.index != inclusion.index:
            raise Damaged(source="proof", problem=f"the entry says that it is number {entry.index}.")
        shown: dict[str, Json] = {
            "entry": entry.index,
            "time": entry.time,
            "user": entry.user,
            "act": entry.act,
            "about": entry.about,
            "reason": entry.reason,
        }
        return {**_point(point), **shown, "witnesses": _vouched(inclusion.checkpoint, keys)}, []
    extension = proofs.read_extension(data)
    if old is None and extension.old:
        raise BadInput(
            source="--old", problem="this proves that a log continues an earlier checkpoint: give that one too."
        )
    earlier = verify_checkpoint(old, key) if old is not None else None
    point = proofs.verify_extension(extension, earlier, key, keys, needed)
    return {**_point(point), "old": extension.old, "witnesses": _vouched(extension.checkpoint, keys)}, []


def _point(point: Checkpoint) -> dict[str, Json]:
    return {"origin": point.origin, "size": point.size, "root": point.root.hex()}


def _vouched(note: bytes, keys: tuple[WitnessKey, ...]) -> list[Json]:
    return [{"name": found.witness.name, "time": _time(found.time)} for found in cosignatures(note, keys)]


def _lines(told: dict[str, Json]) -> list[tuple[str, str]]:
    lines = [(name, str(value)) for name, value in told.items() if name != "witnesses" and value != ""]
    vouched = told.get("witnesses")
    if isinstance(vouched, list):
        lines += [("cosigned", f"{v['name']}, {v['time']}") for v in vouched if isinstance(v, dict)]
    return lines


def _cosigned(found: witnesses.CosignedCheckpoint) -> dict[str, Json]:
    key = witness_key_from(found.witness)
    return {
        "witness": key.name,
        "key": found.witness,
        "size": found.size,
        "root": found.root,
        "time": _time(found.time),
    }


def _cosigned_table(known: tuple[witnesses.CosignedCheckpoint, ...]) -> list[str]:
    return table(
        ("witness", "entries", "time"),
        [(witness_key_from(found.witness).name, str(found.size), _time(found.time)) for found in known],
        empty="No witness has vouched for this log yet.",
    )


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _is_export(data: bytes) -> bool:
    return data.lstrip()[:1] == b"{" and f'"{FORMAT}"'.encode() in data[:200]


def _is_note(data: bytes) -> bool:
    return not proofs.is_inclusion(data) and not data.startswith(b"old ") and not data.startswith(b"{")


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise BadInput(source=str(path), problem="there is no such file.")
    if path.stat().st_size > LARGEST:
        raise BadInput(source=str(path), problem="too large to be such a file.")
    return path.read_bytes()


def _put(session: Session, out: Path | None, content: bytes) -> str | None:
    if out is None:
        return None
    write_whole(out, content, private=False)
    return session.as_given(out)


def _trusted(path: Path) -> trustfile.TrustFile:
    try:
        return trustfile.load(_content(path))
    except Damaged as error:
        raise Damaged(source=str(path), problem=f"not a trust file that can be used. {error}") from error
