"""What the header of a projector file (mmproj) says: the part of a model that looks at pictures.

Such a file is of the type `mmproj`, or of the architecture `clip` in older ones. Rules: it must have a picture encoder; one whose class token stands
before LLaVA's projector is refused, because llama.cpp's graph of it puts that token last and then leaves the first row out, so that the model
would see another picture than it was given (found by comparison with transformers; in the build of llama.cpp that this program brings).
"""

from typing import Final

from core.errors import Unsupported
from core.models.records import Facts
from core.models.worker.gguf import Header

WANTED: Final = (
    "clip.projector_type",
    "clip.vision.projector_type",
    "clip.has_vision_encoder",
    "clip.vision.projection_dim",
)
MISREAD: Final = frozenset({"mlp", "mlp_norm", "ldp", "ldpv2"})


def is_projector(header: Header) -> bool:
    """Whether the file is one."""
    return header.values.get("general.type") == "mmproj" or header.values.get("general.architecture") == "clip"


def projector_facts(source: str, header: Header) -> Facts:
    """The facts; `dimensions` are those of the model that it belongs to. Raises `Unsupported`."""
    values = header.values
    kind = str(values.get("clip.vision.projector_type") or values.get("clip.projector_type") or "")
    wide = values.get("clip.vision.projection_dim", 0)
    if not values.get("clip.has_vision_encoder") or not kind:
        raise Unsupported(source=source, reason="a projector that looks at no pictures. Choose another file.")
    if kind in MISREAD and any(tensor.name == "v.class_embd" for tensor in header.tensors):
        raise Unsupported(
            source=source,
            reason=f"a projector of LLaVA's kind ({kind}), whose pictures this build of llama.cpp computes wrongly. "
            "Choose a model with another kind, for example Gemma 3.",
        )
    return Facts(
        architecture=f"clip {kind[:40]}",
        purpose="projector",
        quantization=max(header.tensors, key=lambda tensor: tensor.elements).type.lower() if header.tensors else "",
        parameters=sum(tensor.elements for tensor in header.tensors),
        context=0,
        dimensions=wide if isinstance(wide, int) and 0 < wide < 2**31 else 0,
        has_template=False,
        licence=str(values.get("general.license", ""))[:200],
        title=str(values.get("general.name", ""))[:200],
        tensors=len(header.tensors),
    )
