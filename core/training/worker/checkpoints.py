"""The state of a run between two steps, as bytes: what is needed to go on as if it had never stopped.

One safetensors file: the adapter, the optimizer's moments, the states of chance, and in its header what is plain (the step, the schedule, what
was measured). Never a pickle. A checkpoint of other settings or another base doesn't load.
"""

import json
from typing import Any

from core.errors import Damaged

FORMAT = "1"


def saved(model: Any, optimizer: Any, schedule: Any, plain: dict[str, Any], best: dict[str, Any] | None) -> bytes:
    """The whole state. `plain` holds only what JSON can; `best`: the adapter that measured best so far, where one is kept."""
    import torch
    from safetensors.torch import save

    tensors = {f"adapter.{name}": value.detach().cpu() for name, value in trained(model)}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": torch.as_tensor(value).cpu() for key, value in state.items()}
    tensors |= {f"best.{name}": value.cpu() for name, value in (best or {}).items()}
    tensors["chance.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["chance.gpu"] = torch.cuda.get_rng_state()
    text = {"format": FORMAT, "plain": json.dumps(plain), "schedule": json.dumps(_plain_schedule(schedule))}
    return bytes(save({name: value.contiguous() for name, value in tensors.items()}, text))


def loaded(data: bytes, model: Any, optimizer: Any, schedule: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Put a saved state back; its `plain` and `best`. Raises `Damaged`."""
    import torch
    from safetensors.torch import load

    try:
        size = int.from_bytes(data[:8], "little")
        text = json.loads(data[8 : 8 + size])["__metadata__"]
        tensors = load(data)
        if text["format"] != FORMAT:
            raise ValueError
        with torch.no_grad():
            for name, value in trained(model):
                value.copy_(tensors[f"adapter.{name}"])
        state = optimizer.state_dict()
        state["state"] = _moments(tensors)
        optimizer.load_state_dict(state)
        schedule.load_state_dict({**schedule.state_dict(), **json.loads(text["schedule"])})
        for group, rate in zip(optimizer.param_groups, schedule.get_last_lr(), strict=True):
            group["lr"] = rate
        torch.set_rng_state(tensors["chance.cpu"])
        if torch.cuda.is_available() and "chance.gpu" in tensors:
            torch.cuda.set_rng_state(tensors["chance.gpu"])
        plain: dict[str, Any] = json.loads(text["plain"])
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        raise Damaged(source="The checkpoint", problem="it doesn't fit this run. Start the run anew.") from error
    best = {name.removeprefix("best."): value for name, value in tensors.items() if name.startswith("best.")}
    return plain, best or None


def trained(model: Any) -> list[tuple[str, Any]]:
    """The numbers that are trained, by name."""
    return [(name, value) for name, value in model.named_parameters() if value.requires_grad]


def _moments(tensors: dict[str, Any]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".", 2)
            found.setdefault(int(number), {})[key] = value
    return found


def _plain_schedule(schedule: Any) -> dict[str, Any]:
    return {key: value for key, value in schedule.state_dict().items() if isinstance(value, int | float | list)}
