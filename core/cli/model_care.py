"""`assay model alias`, `aliases`, `disk` and `remove`: names for a purpose, and the room that models take."""

from pathlib import Path

import click
import msgspec

from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.models.records import DiskView, ModelAlias, MoveAlias

REASON = click.option("--reason", default="", help="Why; it stands in the audit log.")


@click.command()
@click.argument("name")
@click.argument("target", metavar="MODEL", required=False)
@click.option("--end", is_flag=True, help="Let it point at nothing.")
@REASON
@pass_session
def alias(session: Session, name: str, target: str | None, end: bool, reason: str) -> None:
    """Point an alias at a model, by the digest of its file; it stands wherever a model's name does."""
    if (target is None) != end:
        raise click.UsageError("Give the model that the alias points at, or --end.")
    with session.workbench() as bench:
        if target is None:
            bench.model_aliases.end(name, reason)
            session.output.result({"alias": name, "model": None}, [f"The alias {name} has ended."])
            return
        moved = bench.model_aliases.move(MoveAlias(name=name, model=target, reason=reason))
        session.output.result(_json(moved), [f"{moved.name} is now {moved.model_name}@{short(moved.model)}."])


@click.command()
@click.argument("name", required=False)
@pass_session
def aliases(session: Session, name: str | None) -> None:
    """Where the aliases point; with a NAME, everything that it pointed at, newest first."""
    with session.workbench() as bench:
        found = bench.model_aliases.list() if name is None else bench.model_aliases.history(name)
        session.output.result(
            {"aliases": [_json(known) for known in found]},
            table(
                ("alias", "model", "digest", "by", "moved"),
                [(a.name, a.model_name or "none", short(a.model) if a.model else "", a.author, a.saved) for a in found],
            ),
        )


@click.command()
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=FILE)
@pass_session
def disk(session: Session, folders: tuple[Path, ...]) -> None:
    """What the models take on the disk, what lies there twice, and what keeps a model; also below the FOLDERs that are named."""
    with session.workbench() as bench:
        view = bench.model_disk.view([str(folder) for folder in folders], session.output.job("Comparing"))
        session.output.result(msgspec.to_builtins(view), _lines(view))


@click.command()
@click.argument("name")
@click.option("--file", "discard", is_flag=True, help="Delete its files too.")
@REASON
@pass_session
def remove(session: Session, name: str, discard: bool, reason: str) -> None:
    """Forget a model that nothing uses. Its file stays where it is, and what was recorded with it keeps its digest."""
    with session.workbench() as bench:
        digest = bench.models.show(name).digest
        if discard:
            freed = bench.model_disk.discard(name, reason, session.output.job("Hashing"))
            said = f"{name} is forgotten here and its files are deleted: {_megabytes(freed)} free."
        else:
            freed = 0
            bench.models.remove(name, reason)
            said = f"{name} is forgotten here; its file stays where it is."
        session.output.result({"model": name, "digest": digest, "freed": freed}, [said])


def _lines(view: DiskView) -> list[str]:
    lines = table(
        ("model", "on disk", "used by"),
        [
            (m.name, _megabytes(m.space) if not m.missing else "missing", "; ".join(m.uses) or "nothing")
            for m in view.models
        ],
    )
    lines += ["", f"Together: {_megabytes(view.total)}."]
    lines += [f"Free in {folder}: {_megabytes(free)}." for folder, free in view.free]
    for found in view.duplicates:
        lines += [
            f"The same content {len(found.paths)} times, {_megabytes(found.size)} each, digest {short(found.digest)}:"
        ]
        lines += [f"  {path}" for path in found.paths]
    lines += [f"Not registered: {path}, {_megabytes(size)}." for path, size in view.others]
    return lines


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _json(known: ModelAlias) -> dict[str, object]:
    return {
        "alias": known.name,
        "model": known.model_name or None,
        "digest": known.model or None,
        "by": known.author,
        "moved": known.saved,
    }


COMMANDS = (alias, aliases, disk, remove)
