"""One typed schema of settings that are not confidential: how the program looks and how much of the machine it may use.

They lie in the user's configuration folder as JSON, outside any vault. An unreadable file is an error that names it; a missing one means
the defaults. What concerns a vault's content is stored in the vault, not here.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from core.errors import BadInput
from core.paths import config_folder, write_whole
from core.records import Record


class Settings(Record, frozen=True, kw_only=True):
    """Each field has a default and a line of help."""

    theme: Annotated[
        Literal["auto", "light", "dark", "contrast"], msgspec.Meta(description="Colours: follow the system, or one set")
    ] = "auto"
    scale: Annotated[float, msgspec.Meta(ge=0.9, le=2.0, description="Size of text and controls, 1.0 as designed")] = (
        1.0
    )
    reduced_motion: Annotated[bool, msgspec.Meta(description="No transitions; progress moves in steps")] = False
    threads: Annotated[int, msgspec.Meta(ge=0, le=256, description="Threads for models; 0 takes all cores")] = 0
    model_memory: Annotated[
        int, msgspec.Meta(ge=0, le=2**24, description="MiB that all loaded models may take; 0 goes by what is free")
    ] = 0
    model_context: Annotated[
        int, msgspec.Meta(ge=0, le=2**24, description="Tokens of a model's context at most; 0 for 4,096")
    ] = 0
    gpu_layers: Annotated[
        int,
        msgspec.Meta(ge=-1, lt=2**16, description="Layers of a model on a graphics card; -1 takes as many as fit"),
    ] = -1
    answers: Annotated[
        Literal["fast", "reproducible"],
        msgspec.Meta(description="How models answer in the chat: several at once, or alone and the same each time"),
    ] = "fast"
    api_port: Annotated[
        int, msgspec.Meta(ge=1, le=65535, description="Port of the window's local API, as it was used last")
    ] = 11535
    recent_vaults: Annotated[tuple[str, ...], msgspec.Meta(description="Vaults opened lately, newest first")] = ()


def load(folder: Path | None = None) -> Settings:
    """The stored settings, or the defaults where none are stored. Raises `BadInput` on a file that doesn't fit the schema."""
    path = (folder or config_folder()) / "settings.json"
    if not path.exists():
        return Settings()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(source=str(path), problem=f"{error}. Correct it, or delete it for the defaults.") from error


def save(settings: Settings, folder: Path | None = None) -> None:
    """Replace the stored settings."""
    path = (folder or config_folder()) / "settings.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(settings)))
