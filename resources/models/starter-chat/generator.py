"""Generates invented passages with questions and verbatim answers, and the tokenizer of starter-chat.

A context is a few passages of facts (`facts.py`), data sheets, fillers and plain prose, with questions that one sentence
answers and questions that none does. The kinds of fact in HELD_OUT occur in no training text at all.

Command: python generator.py --tokenizer FILE | --tests FOLDER
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import prompting
import vocabulary as words
from facts import FIGURE, HELD_OUT, SCHEMAS, Item, Schema, Source, capital

COMPARED = 40_000  # training contexts that the blind tests are compared with; about twice what a run of an hour sees


@dataclass(frozen=True)
class Question:
    """A question on a context; passage 0 means that no passage answers it."""

    text: str
    answer: str
    value: str
    passage: int
    kind: str


@dataclass
class Context:
    """Passages of one prompt and the questions asked about them."""

    passages: list[str]
    questions: list[Question]


class Writer:
    """Builds contexts: chooses entities and facts, writes the passages, asks the questions."""

    def __init__(self, seed: int, blind: bool = False, held_out: bool = False):
        self.src = Source(seed, blind)
        self.rng = self.src.rng
        self.held_out = held_out
        self.known = {k: [s for s in v if s.key not in HELD_OUT] for k, v in SCHEMAS.items()}
        self.unknown = {k: [s for s in v if s.key in HELD_OUT] for k, v in SCHEMAS.items()}

    def _cast(self, count: int, plain: bool) -> list[tuple[str, str]]:
        """Entities of the context with their kinds."""
        src, rng = self.src, self.rng
        kinds = rng.sample(words.KINDS, src.pick([1, 1, 2, 2, 3]))
        if self.held_out:
            kinds[0] = src.pick([k for k, v in self.unknown.items() if v])
        cast: list[tuple[str, str]] = []
        while len(cast) < count:
            kind = kinds[len(cast) % len(kinds)]
            like = [e for e, k in cast if k == kind]
            e = src.twin(src.pick(like)) if like and not plain and src.chance(0.15) else src.entity(kind)
            if e not in [x for x, _ in cast]:
                cast.append((e, kind))
        return cast

    def _facts(self, cast: list[tuple[str, str]], count: int) -> dict[tuple[str, str], tuple[Schema, str]]:
        """(entity, key) -> (schema, value); several entities share kinds of fact, so that only both together decide."""
        src, rng = self.src, self.rng
        pool: dict[str, list[Schema]] = {}
        for _, kind in cast:
            own = self.known[kind]
            pool.setdefault(kind, []).extend(rng.sample(own, min(len(own), 2)))
            if src.chance(0.6):
                pool[kind].append(src.composed())
        if self.held_out:
            for kind in pool:
                pool[kind] += self.unknown[kind] * 2
        facts: dict[tuple[str, str], tuple[Schema, str]] = {}
        values: set[str] = set()
        for _ in range(8 * count):
            if len(facts) >= count:
                break
            e, kind = src.pick(cast)
            schema = src.pick(pool[kind])
            v = src.value(schema.value)
            if (e, schema.key) not in facts and v not in values and v not in e:
                facts[e, schema.key] = (schema, v)
                values.add(v)
        return facts

    def _sheet(self, entity: str, rows: list[tuple[Schema, str]]) -> list[Item]:
        """A data sheet: a heading with the name, then rows without it, one a sentence or all in one."""
        src = self.src
        head = src.fresh(lambda: src.pick(words.HEADINGS).replace("{e}", entity).replace("{n}", str(src.num(1, 30))))
        items = [Item(entity, capital(head))]
        cells = [(f"{s.key[2:]}: {v}", src.question(s, entity), v) for s, v in rows]
        if src.chance(0.3):
            text = capital("; ".join(c for c, _, _ in cells)) + "."
            return [*items, Item(entity, text, [(q, v, "row") for _, q, v in cells])]
        return items + [Item(entity, capital(c) + ".", [(q, v, "row")]) for c, q, v in cells]

    def _sentences(self, facts: dict[tuple[str, str], tuple[Schema, str]], plain: bool) -> list[list[Item]]:
        """Groups of sentences that stay together."""
        src, groups, by_entity = self.src, [], {}
        for (e, _), fact in facts.items():
            by_entity.setdefault(e, []).append(fact)
        for e, rows in by_entity.items():
            rows = list(rows)
            sheet = [r for r in rows if r[0].key.startswith(("a ", "r "))]
            if sheet and not plain and src.chance(0.35):
                groups.append(self._sheet(e, sheet))
                rows = [r for r in rows if r not in sheet]
            previous = None
            while rows:
                schema, v = rows.pop()
                statement = src.pick(schema.statements)
                kind = "held-out" if schema.key in HELD_OUT else "composed" if " " in schema.key else "schema"
                asked = [(src.question(schema, e), v, kind) for _ in range(2)]
                if previous is not None and statement.startswith("{e}") and ":" not in statement and src.chance(0.25):
                    text = statement.replace("{e}", "it", 1).replace("{v}", v)
                    previous.append(Item(e, capital(text) + ".", [(q, v, "pronoun") for q, v, _ in asked]))
                    continue
                text = src.decorated(statement.replace("{e}", e).replace("{v}", v))
                if rows and not plain and src.chance(0.15):  # two facts in one sentence
                    other, w = rows.pop()
                    join = [s for s in other.statements if s.startswith("{e} ")]
                    if join and statement.startswith("{e} ") and text.startswith(e):
                        text += " and" + src.pick(join).removeprefix("{e}").replace("{v}", w)
                        asked.append((src.question(other, e), w, kind if other.key not in HELD_OUT else "held-out"))
                    else:
                        rows.append((other, w))
                groups.append([Item(e, capital(text) + ".", asked)])
                previous = groups[-1] if not plain else None
        return groups

    def context(self, passages: int, facts: int, prose: int, asked: int, plain: bool = False) -> Context:
        """A context of about `facts` facts and `prose` sentences of plain prose, with at most `asked` questions."""
        src, rng = self.src, self.rng
        cast = self._cast(rng.randint(2, max(2, min(6, facts))), plain)
        known = self._facts(cast, facts)
        groups = self._sentences(known, plain)
        lines = [src.prose() for _ in range(prose)]
        for line in lines[1:]:  # sentences with a noun or a verb in common are told apart by the rest
            if src.chance(0.3):
                lines[lines.index(line)] = src.prose(subject=lines[0].entity)
        groups += [[line] for line in lines]
        for _ in range(0 if plain else rng.randint(0, 1 + facts // 4)):
            e = src.pick(cast)[0]
            groups.append([Item(e, capital(src.pick(words.FILLERS).replace("{e}", e)))])
        rng.shuffle(groups)
        if src.chance(0.5):  # one entity after the other
            order = {e: i for i, (e, _) in enumerate(cast)}
            groups.sort(key=lambda g: order.get(g[0].entity, 99))
        passages = min(passages, len(groups))
        cut = [0, *sorted(rng.sample(range(1, len(groups)), passages - 1)), len(groups)]
        pages = [[item for g in groups[a:b] for item in g] for a, b in pairwise(cut)]
        rng.shuffle(pages)
        texts = [" ".join(item.text for item in page) for page in pages]
        found: list[Question] = []
        for n, page in enumerate(pages, 1):
            for item in page:
                if sum(item.text in t for t in texts) == 1:
                    found += [Question(q, item.text, v, n, k) for q, v, k in item.asked]
        if self.held_out:
            found = [q for q in found if q.kind == "held-out"]
        once = {q.text: q for q in found}
        found = [q for q in once.values() if not (q.kind == "prose" and src.chance(0.3))]
        rng.shuffle(found)
        missing = self._missing(cast, known, lines, " ".join(texts))
        none = min(len(missing), sum(src.chance(0.26) for _ in range(asked)))
        questions = missing[:none] + found[: asked - none]
        rng.shuffle(questions)
        return Context(texts, questions)

    def _missing(self, cast: list, facts: dict, lines: list[Item], text: str) -> list[Question]:
        """Questions that no passage answers, most of them close to one that is."""
        src, out = self.src, []
        kind_of, listed = dict(cast), list(facts.items())
        for _ in range(10):
            (e, key), (schema, _) = src.pick(listed)
            if self.held_out and key not in HELD_OUT:
                continue
            x = src.rng.random()
            if x < 0.45:  # the same kind of fact, another entity of the context
                others = [o for o, k in cast if k == kind_of[e] and (o, key) not in facts]
                if others:
                    out.append((src.question(schema, src.pick(others)), "other entity"))
            elif x < 0.7:  # the same kind of fact, an entity that is nowhere
                other = src.twin(e) if src.chance(0.4) else src.entity(kind_of[e])
                if other not in text and other not in kind_of:
                    out.append((src.question(schema, other), "absent entity"))
            else:  # the entity is there, the kind of fact is not
                other = src.pick((self.unknown if self.held_out else self.known)[kind_of[e]] or [src.composed()])
                other = other if self.held_out or src.chance(0.6) else src.composed()
                if (e, other.key) not in facts:
                    out.append((src.question(other, e), "absent fact"))
        if lines and not self.held_out:
            subject = src.pick(lines).entity if src.chance(0.5) else ""
            stray = src.prose(subject=subject)
            out.append((src.pick(stray.asked)[0], "absent prose"))
        src.rng.shuffle(out)
        return [Question(q, prompting.REFUSAL, "", 0, k) for q, k in dict(out).items()]


def training_context(writer: Writer, short: bool) -> Context:
    """A context as the trainer asks for them: short ones first, later full ones, now and then a long one."""
    rng = writer.rng
    if short:
        return writer.context(1 + (rng.random() < 0.4), rng.randint(2, 4), rng.randint(0, 1), 6, plain=True)
    if rng.random() < 0.04:
        return writer.context(rng.randint(3, 6), rng.randint(10, 16), rng.randint(4, 10), 16)
    if rng.random() < 0.08:
        return writer.context(rng.randint(1, 4), 2, rng.randint(3, 8), 10)
    return writer.context(rng.randint(1, 5), rng.randint(3, 9), rng.choice([0, 0, 0, 1, 2]), 14)


def blind_test(seed: int, count: int, held_out: bool) -> list[dict]:
    """Contexts with one question each, of names and figures that training never shows; a quarter unanswerable."""
    writer, rows = Writer(seed, blind=True, held_out=held_out), []
    while len(rows) < count:
        rng = writer.rng
        c = writer.context(rng.randint(1, 5), rng.randint(4, 10), 0 if held_out else rng.choice([0, 0, 1, 2, 3]), 99)
        none = rng.random() < 0.25
        left = [q for q in c.questions if (q.passage == 0) == none]
        if left:
            q = rng.choice(left)
            rows.append({"passages": c.passages, "question": q.text, "answer": q.answer, "value": q.value,
                         "passage": q.passage, "kind": q.kind})  # fmt: skip
    return rows


def names_and_figures(texts: list[str]) -> set[str]:
    """Figures of two or more digits, and capitalised words inside sentences (a name's parts, and a few plain words)."""
    found: set[str] = set()
    for text in texts:
        found.update(FIGURE.findall(text))
        found.update(re.findall(r"(?<=[a-z,0-9] )[A-Z][a-z]{2,}", text))
    return found


def training_names(count: int) -> set[str]:
    """Names and figures of `count` training contexts, without the plain words that all texts share."""
    plain = {
        *words.MONTHS,
        *words.WEEKDAYS,
        *words.COMPANY,
        "Section",
        "Plus",
        "Pro",
        "Two",
        "Max",
        "Suite",
        "Desk",
        "Mail",
    }
    plain |= {
        "Cloud",
        "EUR",
        "CHF",
        "Sons",
        "Gmb",
        "Who",
        "What",
        "How",
        "When",
        "Where",
        "Which",
        "For",
        "From",
        "The",
    }
    writer, texts = Writer(2001), []
    for _ in range(count):
        c = training_context(writer, short=False)
        texts += [*c.passages, *(q.text for q in c.questions)]
    return names_and_figures(texts) - plain


def write_tests(folder: Path, seed: int, count: int) -> None:
    """known.jsonl and unknown.jsonl, without the few questions whose passages share a made-up name with training by chance."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = training_names(COMPARED)
    for name, held_out, shift in (("known", False, 1), ("unknown", True, 2)):
        rows = blind_test(1_000_003 * seed + shift, count + count // 5, held_out)
        kept = [r for r in rows if not names_and_figures([*r["passages"], r["question"]]) & seen]
        print(f"{name}: {len(rows) - len(kept)} of {len(rows)} left out for a name or figure of training")
        text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in kept[:count])
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def make_tokenizer(seed: int, size: int, path: Path) -> None:
    """A byte-level BPE over generated text; digits stand alone (llama.cpp's pre-tokenizer "smollm")."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    writer, texts = Writer(seed), []
    for _ in range(6000):
        c = training_context(writer, short=False)
        texts.append(prompting.prefix(c.passages, prompting.system_text(writer.rng, writer.rng.random() < 0.7), False))
        texts += [prompting.branch(q.text) for q in c.questions]
    listed = [
        w
        for name in ("NOUNS", "VERBS", "QUALITIES", "GLUE", "ROLES", "TEAMS", "PARTICIPLES")
        for w in getattr(words, name)
    ]
    texts += [f"{w} {capital(w)} the {w}" for w in listed] * 3
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tok.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=special, initial_alphabet=alphabet),
    )
    tok.save(str(path))


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--tokenizer", type=Path, help="write the tokenizer here")
    ap.add_argument("--vocab", type=int, default=4096)
    ap.add_argument("--tests", type=Path, help="write known.jsonl and unknown.jsonl into this folder")
    ap.add_argument("--count", type=int, default=400, help="questions a test")
    ap.add_argument("--seed", type=int, default=7)
    args = ap.parse_args()
    if args.tokenizer:
        make_tokenizer(args.seed, args.vocab, args.tokenizer)
    if args.tests:
        write_tests(args.tests, args.seed, args.count)


if __name__ == "__main__":
    main()
