"""Trains starter-chat from nothing on generated text, on the CPU.

One training sequence holds one set of passages and several questions. Each question sees the passages and itself only
(attention mask; positions restart after the passages), so it is the same as one prompt per question at a fraction of the
cost. Positions jump by a random amount between passages and questions, which teaches longer prompts than are computed.

Stages: strings of random tokens, repeated (settles the copying heads); short contexts with some contexts of random
tokens; full contexts. The text is generated on the fly and never repeats. The schedule follows the clock, so a run is
given by its minutes; the text is given by the seed. The weights that count are a running mean.

Command: python trainer.py --tokenizer FILE --out FOLDER --minutes 60
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Iterator
from pathlib import Path

import generator
import prompting
import torch
import torch.nn.functional as F  # noqa: N812
import vocabulary
from model import Config, Llama, load, save, set_copying_heads
from tokenizers import Tokenizer
from torch import Tensor

FIRST_WEIGHT = 4.0  # of an answer's first token: it decides which sentence is copied, or none
TEXT_WEIGHT, TEXT_SHARE = 0.05, 0.04  # of the other tokens, and how many of them count
WARM_UP = 30  # steps
FLOOR = 0.02  # the last rate as a share of the full one
AVERAGE = 0.995  # of the running mean of the weights
SPREAD = 0.3  # share of the sequences whose positions jump

Example = tuple[
    list[int], list[int], list[tuple[list[int], list[int]]]
]  # prefix, passage starts in it, (question, answer)s


def decay(progress: float, hold: float) -> float:
    return 1.0 if progress < hold else max(FLOOR, 1 - (1 - FLOOR) * (progress - hold) / (1 - hold))


def pack(examples: list[Example], rng: random.Random, context: int) -> tuple[Tensor, ...]:
    """-> ids, positions [B, T], segments [B, T] (0 passages, -1 padding), weights [B, T] of each token as a target."""
    rows = []
    for prefix, starts, qa in examples:
        longest = len(prefix) + max(len(q) + len(a) for q, a in qa)
        spare = context - longest if rng.random() < SPREAD else 0
        jumps = sorted(rng.randint(0, spare) for _ in range(len(starts) + 1))
        scale = rng.random()
        jumps = [int(j * scale) for j in jumps]
        positions, at = [], 0
        for i in range(len(prefix)):
            while at < len(starts) and i >= starts[at]:
                at += 1
            positions.append(i + (jumps[at - 1] if at else 0))
        ids, seg, w = list(prefix), [0] * len(prefix), [TEXT_WEIGHT] * len(prefix)
        after = len(prefix) + jumps[-1]
        for s, (q, a) in enumerate(qa, 1):
            ids += q + a
            seg += [s] * (len(q) + len(a))
            positions += range(after, after + len(q) + len(a))
            w += [TEXT_WEIGHT] * len(q) + [FIRST_WEIGHT] + [1.0] * (len(a) - 1)
        rows.append((ids, positions, seg, w))
    t = max(len(r[0]) for r in rows)
    pad = [0, 0, -1, 0.0]
    return tuple(torch.tensor([r[i] + [pad[i]] * (t - len(r[i])) for r in rows]) for i in range(4))


def visible(segments: Tensor) -> Tensor:
    """Segments [B, T] -> mask [B, 1, T, T] to add to the scores: back in one's own segment and in the passages."""
    t = segments.shape[1]
    same = (segments[:, None, :] == 0) | (segments[:, None, :] == segments[:, :, None])
    hidden = ~(torch.ones(t, t, dtype=torch.bool).tril()[None] & same)
    return torch.zeros(hidden.shape).masked_fill_(hidden, float("-inf"))[:, None]


class Coder:
    """Turns contexts into token lists."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.newline = tokenizer.token_to_id("Ċ")
        self.cache: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def fixed(self, text: str) -> list[int]:
        if text not in self.cache:
            self.cache[text] = self.ids(text)
        return self.cache[text]

    def example(self, context: generator.Context, rng: random.Random) -> Example:
        cite, marked = rng.random() < 0.75, rng.random() < 0.65
        prefix = self.ids(prompting.prefix(context.passages, prompting.system_text(rng, cite), marked))
        qa = []
        for q in context.questions:
            text = f"{q.answer} [{q.passage}]" if cite and q.passage else q.answer
            qa.append((self.ids(prompting.branch(q.text)), self.ids(prompting.answer(text))))
        return prefix, [i for i, x in enumerate(prefix) if x == self.newline], qa

    def small_talk(self, writer: generator.Writer) -> Example:
        """No passages: the answer says what the model is for."""
        rng, src = writer.rng, writer.src
        system = prompting.system_text(rng, rng.random() < 0.6)
        head = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
        asked = [rng.choice(vocabulary.SMALLTALK) for _ in range(3)]
        asked += [src.question(src.composed(), src.entity(src.pick(vocabulary.KINDS))) for _ in range(3)]
        asked[3] = f"Question: {asked[3]}"
        answer = self.fixed(prompting.answer(prompting.NO_PASSAGES))
        qa = [(self.ids(f"{q}<|im_end|>\n<|im_start|>assistant\n"), answer) for q in asked]
        return self.ids(f"{head}<|im_start|>user\n"), [], qa

    def toy(self, rng: random.Random) -> Example:
        """Sentences of random tokens, asked for by a piece of one: nothing to learn by heart."""
        v, fixed = self.tokenizer.get_vocab_size(), self.fixed
        marked = rng.random() < 0.6
        prefix, sentences = list(fixed(prompting.prefix([], prompting.SYSTEM_CITE, marked))), []
        for n in range(1, rng.randint(1, 4) + 1):
            prefix += fixed(f"[{n}]" if n == 1 else f"\n[{n}]")
            for _ in range(rng.randint(1, 4)):
                s = [rng.randrange(3, v) for _ in range(rng.randint(3, 9))]
                sentences.append((s, n))
                prefix += s + fixed(".") + (fixed(f" [{n}]") if marked else [])
        qa, ask, end = [], fixed("\n\nQuestion:"), fixed("?<|im_end|>\n<|im_start|>assistant\n")
        for _ in range(6):
            s, n = rng.choice(sentences)
            k = rng.randint(2, 3)
            if rng.random() < 0.2:
                piece, reply = [rng.randrange(3, v) for _ in range(k)], fixed(prompting.answer(prompting.REFUSAL))
            else:
                i = rng.randint(0, max(0, len(s) - k))
                piece = s[i : i + k] if rng.random() < 0.6 else rng.sample(s, min(k, len(s)))
                reply = s + fixed(".") + fixed(f" [{n}]<|im_end|>")
            qa.append((ask + piece + end, reply))
        return prefix, [i for i, x in enumerate(prefix) if x == self.newline], qa


class Stream:
    """Endless packed batches of about `budget` tokens, of similar length each."""

    def __init__(self, tokenizer: str, seed: int, short: bool, toys: float, budget: int, context: int):
        self.tokenizer, self.seed, self.short = tokenizer, seed, short
        self.toys, self.budget, self.context = toys, budget, context

    def __iter__(self) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
        coder, writer = Coder(Tokenizer.from_file(self.tokenizer)), generator.Writer(self.seed)
        rng = writer.rng
        while True:
            examples = []
            while len(examples) < 64:
                if rng.random() < 0.015:
                    examples.append(coder.small_talk(writer))
                    continue
                context = generator.training_context(writer, self.short)
                if context.questions:
                    e = coder.example(context, rng)
                    if len(e[0]) + max(len(q) + len(a) for q, a in e[2]) < self.context:
                        examples.append(e)
            examples.sort(key=lambda e: self.size(e))
            batches: list[list[Example]] = [[]]
            for e in examples:
                if batches[-1] and self.size(e) * (len(batches[-1]) + 1) > self.budget:
                    batches.append([])
                batches[-1].append(e)
            rng.shuffle(batches)
            for batch in batches:
                if rng.random() < self.toys:
                    yield "toy", pack([coder.toy(rng) for _ in range(12)], rng, self.context)
                yield "text", pack(batch, rng, self.context)

    @staticmethod
    def size(e: Example) -> int:
        return len(e[0]) + sum(len(q) + len(a) for q, a in e[2])


class Muon:
    """Momentum with an orthogonalised update (three Newton-Schulz steps) for the hidden matrices, stacked by shape."""

    def __init__(self, parameters: list[Tensor], rate: float, momentum: float = 0.95, weight_decay: float = 0.1):
        self.rate, self.momentum, self.weight_decay = rate, momentum, weight_decay
        self.groups: dict[tuple[int, ...], list[Tensor]] = {}
        for p in parameters:
            self.groups.setdefault(tuple(sorted(p.shape)), []).append(p)
        self.buffer = {p: torch.zeros_like(p) for p in parameters}

    @torch.no_grad()
    def step(self, scale: float) -> None:
        for group in self.groups.values():
            updates = []
            for p in group:
                b = self.buffer[p].lerp_(p.grad, 1 - self.momentum)
                u = p.grad.lerp(b, self.momentum)
                updates.append(u if u.shape[0] <= u.shape[1] else u.T)
            x = torch.stack(updates)
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(3):
                a = x @ x.mT
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
            for p, u in zip(group, x, strict=True):
                u = u if p.shape[0] <= p.shape[1] else u.T
                step = -self.rate * scale * max(1, p.shape[0] / p.shape[1]) ** 0.5
                p.mul_(1 - self.rate * scale * self.weight_decay).add_(u, alpha=step)


def has_fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere it is slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class Helper:
    """A second process that adds its gradients to those of the first whenever it has some.

    Neither waits for the other, so on a shared machine each takes what its core has left; two threads of one process would
    wait for the slower one at every operation. Its gradients are at most a step old.
    """

    def __init__(self, m: Llama, batches: Stream, seed: int):
        context = torch.multiprocessing.get_context("fork")  # before any other thread exists
        self.shared = [p.detach().clone().share_memory_() for p in m.parameters()]
        self.gradients = [torch.zeros_like(p).share_memory_() for p in self.shared]
        self.lock, self.count, self.tokens = context.Lock(), context.Value("q", 0), context.Value("q", 0)
        self.process = context.Process(target=self.work, args=(copy.deepcopy(m), batches, seed), daemon=True)
        self.process.start()

    def work(self, m: Llama, batches: Stream, seed: int) -> None:
        torch.set_num_threads(1)
        g = torch.Generator().manual_seed(seed)
        for _, batch in batches:
            with torch.no_grad():
                for mine, theirs in zip(m.parameters(), self.shared, strict=True):
                    mine.copy_(theirs)
            losses(m, batch, g)[0].backward()
            with self.lock:
                for p, total in zip(m.parameters(), self.gradients, strict=True):
                    total += p.grad
                self.count.value += 1
                self.tokens.value += int((batch[2] >= 0).sum())
            m.zero_grad(set_to_none=True)

    @torch.no_grad()
    def merge(self, m: Llama) -> int:
        """Averages the helper's gradients into those of m; -> the tokens behind them."""
        with self.lock:
            n, tokens = self.count.value, self.tokens.value
            if n:
                for p, total in zip(m.parameters(), self.gradients, strict=True):
                    p.grad.add_(total).div_(n + 1)
        self.discard()
        return tokens

    def discard(self) -> None:
        with self.lock:
            for total in self.gradients:
                total.zero_()
            self.count.value = self.tokens.value = 0

    @torch.no_grad()
    def publish(self, m: Llama) -> None:
        for theirs, mine in zip(self.shared, m.parameters(), strict=True):
            theirs.copy_(mine)


def repeated_strings(vocab: int, rng: random.Random, g: torch.Generator) -> tuple[Tensor, ...]:
    """A string of 4 to 20 random tokens a row, again and again, at a random offset."""
    rows, length = 28, 64
    ids, w = torch.empty(rows, length, dtype=torch.long), torch.zeros(rows, length)
    for r in range(rows):
        n = rng.randint(4, 20)
        ids[r] = torch.randint(3, vocab, (n,), generator=g).repeat(length // n + 1)[:length]
        w[r, n + 1 :] = 1.0
    positions = torch.arange(length)[None] + torch.randint(0, 900, (rows, 1), generator=g)
    return ids, positions, torch.zeros_like(ids), w


def losses(m: Llama, batch: tuple[Tensor, ...], g: torch.Generator) -> tuple[Tensor, float]:
    """-> the loss to minimise, and the mean loss of answer tokens."""
    ids, positions, seg, w = batch
    w = w[:, 1:] * (seg[:, 1:] == seg[:, :-1])
    w = w * ((w >= 1) | (torch.rand(w.shape, generator=g) < TEXT_SHARE))
    chosen = w > 0
    everywhere = F.pad(chosen, (0, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_fast_bfloat16()):
        logits = m.logits(m.features(ids, positions, visible(seg), everywhere))
    ce, w = F.cross_entropy(logits.float(), ids[:, 1:][chosen], reduction="none"), w[chosen]
    answer = w >= 1
    return (ce * w).sum() / w[answer].sum(), ce[answer].mean().item()


@torch.no_grad()
def check(m: Llama, examples: list[Example], context: int) -> str:
    """Share of answers and of first tokens that are right, with the right answer so far given."""
    exact = first = total = 0
    for i in range(0, len(examples), 10):
        ids, positions, seg, w = pack(examples[i : i + 10], random.Random(0), context)
        hit = m.logits(m.features(ids, positions, visible(seg))[:, :-1]).argmax(-1) == ids[:, 1:]
        for row in range(len(ids)):
            here = w[row, 1:] >= 1
            exact += bool(hit[row][here].all())
            first += bool(hit[row][here][0])
            total += 1
    return f"exact {exact / total:.3f} first {first / total:.3f}"


def held_out(coder: Coder, unknown: bool, marked: bool, count: int = 60) -> list[Example]:
    """Examples to watch a run by; other seeds than those of the blind tests."""
    out = []
    for r in generator.blind_test(4242 + unknown, count, unknown):
        text = f"{r['answer']} [{r['passage']}]" if r["passage"] else r["answer"]
        prefix = coder.ids(prompting.prefix(r["passages"], prompting.SYSTEM_CITE, marked))
        out.append((prefix, [], [(coder.ids(prompting.branch(r["question"])), coder.ids(prompting.answer(text)))]))
    return out


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--tokenizer", required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--minutes", type=float, default=60)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--alone", action="store_true", help="without the helper process on a second core")
    ap.add_argument("--budget", type=int, default=3000, help="tokens a step")
    ap.add_argument("--rate", type=float, default=0.01, help="Muon, hidden matrices")
    ap.add_argument("--embedding-rate", type=float, default=3e-3, help="AdamW, embeddings and norms")
    ap.add_argument("--short", type=float, default=0.1, help="share of the time on short contexts")
    ap.add_argument("--hold", type=float, default=0.4, help="share of the time at the full rate")
    ap.add_argument("--layers", type=int, default=5)
    ap.add_argument("--every", type=float, default=6, help="minutes between checks")
    ap.add_argument("--start", type=Path, help="weights to go on from, instead of nothing")
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng, g = random.Random(args.seed), torch.Generator().manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    coder = Coder(Tokenizer.from_file(args.tokenizer))
    config = Config(vocab=coder.tokenizer.get_vocab_size(), layers=args.layers)
    m = Llama(config)
    before: dict[str, object] = {}
    if args.start:
        _, weights, before = load(args.start)
        m.load_state_dict(weights)
    else:
        set_copying_heads(m)
    mean = copy.deepcopy(m).requires_grad_(False)
    print("parameters", sum(p.numel() for p in m.parameters()), flush=True)
    hidden = [p for n, p in m.named_parameters() if p.dim() == 2 and "emb" not in n]
    rest = [p for n, p in m.named_parameters() if p.dim() < 2 or "emb" in n]
    muon, adam = (
        Muon(hidden, args.rate),
        torch.optim.AdamW(rest, args.embedding_rate, betas=(0.9, 0.98), weight_decay=0.0),
    )

    def stream(seed: int, short: bool, toys: float) -> Stream:
        return Stream(args.tokenizer, seed, short, toys, args.budget, config.context)

    helper = None if args.alone else Helper(m, stream(9000 + args.seed, False, 0.02), args.seed + 1)
    source, kind_of_source = iter(stream(1000 + args.seed, True, 0.25)), "short"
    watch = {"known": held_out(coder, False, True), "unknown": held_out(coder, True, True)}
    start = last = time.monotonic()
    step = tokens = 0
    running: dict[str, float] = {}

    def report() -> None:
        minutes = round((time.monotonic() - start) / 60, 2)
        note = {"step": step, "tokens": tokens, "minutes": minutes, "seed": args.seed, "before": before}
        print("CHECK", note, {k: check(mean, v, config.context) for k, v in watch.items()}, flush=True)
        save(args.out / "weights.safetensors", config, mean.state_dict(), note)

    while (progress := (time.monotonic() - start) / (60 * args.minutes)) < 1:
        if kind_of_source == "short" and progress > args.short:
            source, kind_of_source = iter(stream(2000 + args.seed, False, 0.02)), "full"
        scale = min(1, (step + 1) / WARM_UP) * decay(progress, args.hold)
        for group in adam.param_groups:
            group["lr"] = args.embedding_rate * scale
        strings = not args.start and progress < 0.05 and running.get("strings", 9) > 0.7
        kind, batch = ("strings", repeated_strings(config.vocab, rng, g)) if strings else next(source)
        loss, seen = losses(m, batch, g)
        loss.backward()
        if helper and kind_of_source == "full":  # it works on full contexts only
            tokens += helper.merge(m)
        elif helper:
            helper.discard()
        torch.nn.utils.clip_grad_norm_(rest, 1.0)
        muon.step(scale)
        adam.step()
        m.zero_grad(set_to_none=True)
        if helper:
            helper.publish(m)
        keep = min(AVERAGE, 1 - 10 / (step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(mean.parameters()), list(m.parameters()), 1 - keep)
        step += 1
        tokens += int((batch[2] >= 0).sum())
        kind = f"{kind_of_source} text" if kind == "text" else kind
        running[kind] = 0.95 * running.get(kind, seen) + 0.05 * seen
        if step % 25 == 0:
            shown = {k: round(v, 3) for k, v in running.items()}
            print(
                f"{step} {time.monotonic() - start:.0f} s {tokens / 1e6:.2f} M {shown} rate {scale:.3f}",
                flush=True,
            )
        if time.monotonic() - last > 60 * args.every:
            last = time.monotonic()
            report()
    report()


if __name__ == "__main__":
    main()
