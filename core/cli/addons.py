"""`assay addon`: packages that are carried to the installed program in a signed file, such as those that training needs. Needs no vault."""

from pathlib import Path

import click

from core.cli.output import one_line, table
from core.cli.session import FILE, Session, pass_session
from core.errors import AssayError, Damaged, Unsupported
from core.installation import addons as installing
from core.workers import addons

_MEBIBYTE = 1024**2
_SYSTEM = click.option(
    "--system", is_flag=True, help="For all who use this installation; needs the right to write there."
)


@click.group()
def addon() -> None:
    """Packages that are carried to this program in a signed file, such as those that training needs."""


@addon.command("install")
@click.argument("file", type=FILE)
@_SYSTEM
@click.option("--key", type=FILE, help="The signer's public key, in place of the one that this program carries.")
@pass_session
def install(session: Session, file: Path, system: bool, key: Path | None) -> None:
    """Check the signature of FILE and put its packages in their place. Nothing is written where it is changed, or for another program."""
    place = _place(system)
    manifest = installing.install(file, session.output.job("Installing"), key, place)
    session.output.result(
        {**_told(manifest), "folder": str(place / manifest.name)},
        [
            f"{manifest.name} {manifest.release} is installed: {len(manifest.files):,} files, {manifest.size / _MEBIBYTE:,.0f} MiB.",
            f"It lies in {one_line(str(place / manifest.name))}.",
        ],
    )


@addon.command("list")
@pass_session
def list_(session: Session) -> None:
    """The add-ons that are installed, and whether this program can use them."""
    found = []
    for folder in addons.installed():
        try:
            manifest = addons.read(folder)
        except AssayError as error:
            found.append(
                {
                    "name": folder.name,
                    "release": "",
                    "purpose": "",
                    "bytes": 0,
                    "folder": str(folder),
                    "usable": False,
                    "why": str(error),
                }
            )
            continue
        why = ""
        try:
            addons.check_fits(manifest, folder.name)
            addons.check_there(folder, manifest)
        except (Damaged, Unsupported) as error:
            why = str(error)
        found.append({**_told(manifest), "folder": str(folder), "usable": not why, "why": why})
    rows = [
        (str(one["name"]), str(one["release"]), "yes" if one["usable"] else str(one["why"]), str(one["folder"]))
        for one in found
    ]
    session.output.result(found, table(("name", "version", "usable", "folder"), rows, "No add-ons are installed."))


@addon.command("remove")
@click.argument("name")
@_SYSTEM
@pass_session
def remove(session: Session, name: str, system: bool) -> None:
    """Remove an add-on with all its files."""
    folder = installing.remove(name, _place(system))
    session.output.result(
        {"name": name, "folder": str(folder)}, [f"{one_line(name)} is removed from {one_line(str(folder))}."]
    )


def _place(system: bool) -> Path:
    return addons.system_folder() if system else addons.user_folder()


def _told(manifest: addons.Manifest) -> dict[str, object]:
    return {"name": manifest.name, "release": manifest.release, "purpose": manifest.purpose, "bytes": manifest.size}
