"""A training run's spec as a YAML file."""

from pathlib import Path

import msgspec

from core.errors import BadInput
from core.paths import read_yaml
from core.training.records import TrainSpec
from core.training.settings import chosen
from core.training.sweeps import points


def read_sweep(path: Path) -> TrainSpec:
    """The spec of a sweep, some of whose settings are lists. Raises `BadInput` as `read_spec`, and as `core.training.sweeps.points`."""
    spec = _read(path)
    points(spec, path.name)
    return spec


def read_spec(path: Path) -> TrainSpec:
    """The spec in a file. Raises `BadInput` with the line, the field or the setting that is wrong."""
    spec = _read(path)
    chosen(spec.preset, spec.settings, path.name)
    return spec


def _read(path: Path) -> TrainSpec:
    try:
        spec = msgspec.convert(read_yaml(path), TrainSpec)
    except msgspec.ValidationError as error:
        raise BadInput(source=path.name, problem=f"{error}.") from error
    if spec.sweep:
        raise BadInput(source=path.name, problem="sweep is said by a sweep itself. Leave it out.")
    return spec
