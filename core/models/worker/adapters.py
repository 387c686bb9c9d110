"""What the header of a LoRA adapter says, and whether it is one that can be attached.

An adapter is a GGUF file of the type `adapter` that holds, for some of a model's matrices, two small ones: `NAME.lora_a` [rank, inputs] and
`NAME.lora_b` [outputs, rank]. Rules: nothing else is in it, each has its partner, the ranks agree; of adapters of other kinds none is taken.
Whether the matrices are a model's own is seen when it is attached.
"""

import re
from typing import Final

from core.errors import Damaged, Unsupported
from core.models.records import Facts
from core.models.worker.gguf import Header, Tensor

WANTED: Final = ("adapter.type", "assay.base.digest")
FIRST, SECOND = ".lora_a", ".lora_b"
TYPES: Final = frozenset({"F32", "F16", "BF16", "Q8_0"})
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_INVOCATION: Final = "adapter.alora.invocation_tokens"


def adapter_facts(source: str, header: Header) -> Facts:
    """The facts; `quantization` is that of its weights. Raises `Unsupported`, `Damaged`."""
    kind = header.values.get("adapter.type", "")
    if kind != "lora" or _INVOCATION in header.lengths:
        raise Unsupported(
            source=source, reason="an adapter of another kind than LoRA, which isn't attached. Choose a LoRA adapter."
        )
    architecture = str(header.values.get("general.architecture", ""))
    tensors = {tensor.name: tensor for tensor in header.tensors}
    if not architecture or not tensors:
        raise Damaged(
            source=source, problem="an adapter that names no architecture or holds nothing. Take another copy."
        )
    for name, tensor in tensors.items():
        if problem := _problem(name, tensor, tensors):
            raise Damaged(source=source, problem=f"not a LoRA adapter: {name[:80]} {problem}. Take another copy.")
    base = str(header.values.get("assay.base.digest", ""))
    return Facts(
        architecture=architecture[:64],
        purpose="adapter",
        quantization=max(tensors.values(), key=lambda tensor: tensor.elements).type.lower(),
        parameters=sum(tensor.elements for tensor in tensors.values()),
        context=0,
        dimensions=0,
        has_template=False,
        licence=str(header.values.get("general.license", ""))[:200],
        title=str(header.values.get("general.name", ""))[:200],
        tensors=len(tensors),
        base_digest=base if _DIGEST.fullmatch(base) else "",
    )


def _problem(name: str, tensor: Tensor, tensors: dict[str, Tensor]) -> str:
    if not name.endswith((FIRST, SECOND)):
        return "is neither its first nor its second matrix"
    if len(tensor.shape) != 2 or tensor.type not in TYPES:
        return "is no matrix of a type that is attached"
    first = name.endswith(FIRST)
    other = tensors.get(name.removesuffix(FIRST) + SECOND if first else name.removesuffix(SECOND) + FIRST)
    if other is None:
        return "has no partner"
    if first and len(other.shape) == 2 and tensor.shape[1] != other.shape[0]:
        return "has another rank than its partner"
    return ""
