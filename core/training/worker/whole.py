"""Training of all weights: a model of its own comes out, written as the base's GGUF with other numbers.

The base's own GGUF gives everything but the numbers (vocabulary, template, what llama.cpp is told of the network), so that nothing of it is lost.
Every tensor that was trained has its place there, in the same shape, and every matrix there was trained; else nothing is written.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gguf

from core.errors import BadInput
from core.models.worker.converting.families import Config, Family, as_computed
from core.training.settings import Settings


def model(base: Any, settings: Settings) -> Any:
    """The base, all of whose weights are trained."""
    plain = base.weights(settings.dtype)
    if settings.gradient_checkpointing:
        plain.gradient_checkpointing_enable({"use_reentrant": False})
    plain.requires_grad_(True)
    return plain


def safetensors_of(model: Any) -> bytes:
    """All numbers, each once."""
    from safetensors.torch import save

    return bytes(save({name: value.detach().cpu().float().contiguous() for name, value in model.named_parameters()}))


def placed(
    tensors: Mapping[str, Any], base: gguf.GGUFReader, family: Family, config: Config
) -> Callable[[str, Any], Any]:
    """What gives each of the base's tensors, by its name and its values, as it is now. Raises `BadInput` for another base."""
    names = gguf.get_tensor_name_map(family.architecture, int(config["num_hidden_layers"]))
    found: dict[str, Any] = {}
    for name, values in tensors.items():
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise BadInput(source="The model", problem=f"nothing is known of its tensor {name[:80]}.")
        found[target] = values
    shapes = {tensor.name: tuple(int(size) for size in reversed(tensor.shape)) for tensor in base.tensors}
    wrong = [name for name, values in found.items() if name in shapes and shapes[name] != tuple(values.shape)]
    wrong += [name for name in found if name not in shapes and name != "output.weight"]
    wrong += [
        name for name, shape in shapes.items() if len(shape) == 2 and name not in found and name != "output.weight"
    ]
    if wrong:
        raise BadInput(source="The model", problem=f"it was trained from another base: {wrong[0][:60]} differs.")

    def given(name: str, values: Any) -> Any:
        own = found.get(name, found["token_embd.weight"] if name == "output.weight" else None)
        return values if own is None else as_computed(name, own, config, family)

    return given
