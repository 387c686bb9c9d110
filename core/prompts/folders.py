"""Prompts as a folder of YAML files, one for each, out of a vault and into it; what two people changed is said, and nothing of theirs is lost.

Rules, by the version that a file says it was made from and by its content's fingerprint:

1. Out: a file that nobody changed since it was written is written again; one that holds what no version of the prompt does is left as it is.
2. In: a file that says what the latest version does changes nothing, nor does one that says what an earlier version did.
3. In: a file made from the latest version becomes the next one. A file made from an earlier version, or from none while the vault has some,
   is a conflict: both were changed. It is taken as the next version only where the caller says so.
4. One file that can't be read stops everything before anything is kept.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.errors import BadInput, NotFound
from core.paths import write_whole
from core.prompts.files import fingerprint, read_file, write_prompt
from core.prompts.records import PromptVersion
from core.prompts.service import Prompts, content
from core.records import Record
from core.vault.versions import check_name

What = Literal["written", "saved", "unchanged", "older", "conflict"]
ENDINGS = (".yaml", ".yml")
CONFLICT_OUT = "the file holds changes that the vault doesn't have. Take it in first, or write over it with --replace."


class Moved(Record, frozen=True, kw_only=True):
    """What became of one prompt or file. `reference`: the version that it is about; "" where there is none."""

    file: str
    what: What
    reference: str = ""
    reason: str = ""


def write_folder(prompts: Prompts, folder: Path, names: Sequence[str] = (), replace: bool = False) -> tuple[Moved, ...]:
    """Write the latest version of each prompt, or of those named, as `NAME.yaml`. Raises `NotFound`, `BadInput` for a file that can't be read."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(source=str(folder), problem="this is a file. Give the name of a folder.")
    states = prompts.list()
    known = {state.prompt.name: state.prompt for state in states}
    for name in names:
        if name not in known:
            raise NotFound(kind="prompt", name=name, step="`assay prompt list` shows what there is.")
    found = []
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or known:
        version, path = known[name], folder / f"{name}.yaml"
        text = write_prompt(version).encode()
        if path.is_file() and path.read_bytes() == text:
            found.append(Moved(file=path.name, what="unchanged", reference=version.reference))
        elif path.is_file() and not replace and not _ours(prompts, version, path):
            found.append(Moved(file=path.name, what="conflict", reference=version.reference, reason=CONFLICT_OUT))
        else:
            write_whole(path, text)
            found.append(Moved(file=path.name, what="written", reference=version.reference))
    return tuple(found)


def read_folder(prompts: Prompts, folder: Path, take: bool = False) -> tuple[Moved, ...]:
    """Take in the YAML files of a folder, by name; with `take` conflicts become the next versions. Raises `BadInput`, `TemplateError`, `Refused`."""
    if not folder.is_dir():
        raise BadInput(source=str(folder), problem="there is no such folder.")
    paths = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS and path.is_file())
    if not paths:
        raise BadInput(source=str(folder), problem="no prompt files (*.yaml) in it.")
    files = [(path, read_file(path)) for path in paths]
    names = [file.prompt.name for _, file in files]
    for path, file in files:
        check_name("prompt", file.prompt.name)
        if names.count(file.prompt.name) > 1:
            raise BadInput(source=path.name, problem=f"two files hold the prompt {file.prompt.name}. Keep one.")
        prompts.check(file.prompt)
    found = []
    for path, file in files:
        versions = _versions(prompts, file.prompt.name)
        latest = versions[0] if versions else None
        mine = fingerprint(file.prompt)
        same = next((version for version in versions if fingerprint(content(version)) == mine), None)
        if latest is not None and same is latest:
            found.append(Moved(file=path.name, what="unchanged", reference=latest.reference))
        elif same is not None:
            reason = f"it says what {same.reference} said; the vault has {versions[0].reference}."
            found.append(Moved(file=path.name, what="older", reference=same.reference, reason=reason))
        elif latest is not None and file.based_on != latest.number and not take:
            made = f"from version {file.based_on}" if file.based_on else "from no version"
            reason = (
                f"it was made {made}, and the vault has {latest.reference}. Put both together, or take it with --take."
            )
            found.append(Moved(file=path.name, what="conflict", reference=latest.reference, reason=reason))
        else:
            saved = prompts.save(file.prompt)
            found.append(Moved(file=path.name, what="saved", reference=saved.prompt.reference))
    return tuple(found)


def _versions(prompts: Prompts, name: str) -> tuple[PromptVersion, ...]:
    """Newest first; none for a name that isn't there."""
    try:
        return tuple(state.prompt for state in prompts.versions(name))
    except NotFound:
        return ()


def _ours(prompts: Prompts, version: PromptVersion, path: Path) -> bool:
    """Whether a file holds what some version of the prompt does, so that nothing is lost with it."""
    file = read_file(path)
    known = {fingerprint(content(one)) for one in _versions(prompts, version.name)}
    return file.prompt.name == version.name and fingerprint(file.prompt) in known
