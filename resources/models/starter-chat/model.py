"""A small Llama decoder in plain PyTorch with hand-set copying heads to start from.

The maths and the weight layout are those of the usual Llama ("rotate half" rotary positions, RMS norm, SwiGLU, tied
embeddings), so that the weights go into a GGUF one to one, and come back from one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import layout
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

EMBEDDING_STD = 0.25
OFFSET = 4.0  # length of the offset that all embeddings share; it stands in for the bias that Llama lacks
SHARPNESS = 6.5  # of the hand-set attention to the previous token; lower ones leak to other distances
MATCH = 2.5  # of the hand-set match between a token and a previous token


@dataclass(frozen=True)
class Config:
    vocab: int = 4096
    width: int = 256
    layers: int = 5
    heads: int = 4
    hidden: int = 512
    context: int = 1536
    theta: float = 10000.0
    epsilon: float = 1e-5


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return (x * cos + torch.cat((-b, a), -1) * sin).to(x.dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Attention [B, heads, T, size]. In bfloat16 plain products are faster on a CPU than the fused form."""
    if q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2)) + mask.to(q.dtype)
    return torch.matmul(torch.softmax(scores, -1, dtype=q.dtype), v)


class Block(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.heads, self.eps = c.heads, c.epsilon
        self.n1, self.n2 = nn.Parameter(torch.ones(c.width)), nn.Parameter(torch.ones(c.width))
        self.q, self.k, self.v, self.o = (nn.Linear(c.width, c.width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(c.width, c.hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(c.hidden, c.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, chosen: Tensor | None = None) -> Tensor:
        b, t, d = x.shape
        h = F.rms_norm(x, (d,), self.n1, self.eps)
        q, k, v = (f(h).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        a = attend(q, k, v.to(q.dtype), mask)
        a = a.transpose(1, 2).reshape(b, t, d)
        if chosen is not None:
            x, a = x[chosen], a[chosen]
        x = x + self.o(a)
        h = F.rms_norm(x, (d,), self.n2, self.eps)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.config = c
        self.emb = nn.Embedding(c.vocab, c.width)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = nn.Parameter(torch.full((c.width,), 0.25))  # small: the tied embedding is large
        for name, p in self.named_parameters():
            if p.dim() == 2:
                std = EMBEDDING_STD if "emb" in name else c.width**-0.5 * 0.6
                if name.endswith(("o.weight", "down.weight")):
                    std /= (2 * c.layers) ** 0.5
                nn.init.normal_(p, 0, std)
        size = c.width // c.heads
        angle = torch.arange(c.context).float()[:, None] * (c.theta ** -(torch.arange(0, size, 2).float() / size))[None]
        self.register_buffer("cos", torch.cat((angle.cos(), angle.cos()), -1), persistent=False)
        self.register_buffer("sin", torch.cat((angle.sin(), angle.sin()), -1), persistent=False)

    def features(self, ids: Tensor, positions: Tensor, mask: Tensor, chosen: Tensor | None = None) -> Tensor:
        """ids, positions [B, T]; mask [B, 1, T, T], added to the scores -> [B, T, width].

        With `chosen` [B, T] only the rows of these tokens: [N, width]; the last block then computes no others.
        """
        x = self.emb(ids)
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        for block in self.blocks[:-1]:
            x = block(x, cos, sin, mask)
        x = self.blocks[-1](x, cos, sin, mask, chosen)
        return F.rms_norm(x, (self.config.width,), self.norm, self.config.epsilon)

    def logits(self, features: Tensor) -> Tensor:
        return F.linear(features, self.emb.weight)


@torch.no_grad()
def set_copying_heads(m: Llama) -> None:
    """Start with working copying heads instead of waiting for them to form.

    Two heads of block 0 look at the previous token; the heads of block 1 look for the token after an earlier copy of
    this one, and copy it. Everything stays trainable.
    """
    c = m.config
    d, size = c.width, c.width // c.heads
    half = size // 2
    frame = lambda n, k: torch.linalg.qr(torch.randn(n, k))[0]  # noqa: E731
    u = F.normalize(torch.randn(d), dim=0)
    emb = m.emb.weight
    emb -= (emb @ u)[:, None] * u
    emb += OFFSET * u
    constant = OFFSET / ((OFFSET**2 + EMBEDDING_STD**2 * d) / d) ** 0.5  # what is left of the offset after the norm
    theta = c.theta ** -(torch.arange(half).float() / half)
    b0, b1 = m.blocks[0], m.blocks[1]
    basis = frame(d, d).T
    basis -= (basis @ u)[:, None] * u
    slow = torch.cat((torch.arange(half // 2, half), torch.arange(half // 2, half) + half))  # these hardly turn
    for h in range(2):
        rows = slice(h * size, (h + 1) * size)
        read, write = basis[rows].clone(), frame(d, size)
        b0.q.weight[rows] = 0
        b0.k.weight[rows] = 0
        for i in range(8):  # the fast rotary dimensions: the key is turned by one position
            b0.q.weight[h * size + i] = SHARPNESS / constant * u
            b0.k.weight[h * size + i] = SHARPNESS / constant * theta[i].cos() * u
            b0.k.weight[h * size + i + half] = SHARPNESS / constant * theta[i].sin() * u
        b0.v.weight[rows] = read
        b0.o.weight[:, rows] = 0.5 * write
        for j in range(2):
            a, n = 2 * h + j, len(slow)
            b1.q.weight[a * size : (a + 1) * size] *= 0.1
            b1.k.weight[a * size : (a + 1) * size] *= 0.1
            b1.q.weight[a * size + slow] = MATCH * read[j * n : (j + 1) * n]
            b1.k.weight[a * size + slow] = MATCH * write.T[j * n : (j + 1) * n]
    turn = frame(d, d)
    b1.v.weight.copy_(turn.T)
    b1.o.weight.copy_(turn)


def save(path: Path, config: Config, weights: dict[str, Tensor], notes: dict[str, object]) -> None:
    """A safetensors file with the configuration and the run's figures in its metadata."""
    part = path.with_suffix(".part")
    meta = {"config": json.dumps(asdict(config)), "notes": json.dumps(notes)}
    save_file({k: v.contiguous() for k, v in weights.items()}, str(part), metadata=meta)
    part.replace(path)


def load(path: Path) -> tuple[Config, dict[str, Tensor], dict[str, object]]:
    """-> configuration, weights and figures of the run, from a run's file or from a GGUF that was made of one."""
    if path.suffix == ".gguf":
        config, weights, tokens = layout.read(path)
        return Config(**config), {k: torch.from_numpy(w) for k, w in weights.items()}, {"tokens": tokens}
    with safe_open(str(path), "pt") as f:
        meta = f.metadata()
        return Config(**json.loads(meta["config"])), {k: f.get_tensor(k) for k in f.keys()}, json.loads(meta["notes"])  # noqa: SIM118
