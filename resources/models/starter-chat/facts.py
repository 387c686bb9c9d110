"""Names, figures, kinds of fact and plain prose for the generator, all invented and drawn from a seed.

Facts are of three sources: `schemas.txt` (kinds with wordings of their own), attributes, roles and deeds put together from
word lists, and sentences of plain prose made by a small grammar. Names and figures of the blind tests never occur in
training: `Source(blind=True)` takes the other half of each list and the figures of another residue class.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import vocabulary as words

HELD_OUT = frozenset(
    "calib notice landlord pressure translator escalation visitors dosage bonus auction "
    "battery exam lock tyres refund noise salary mileage prize bcarrier".split()
)
FIGURE = re.compile(r"\d[\d.,:-]*\d")


@dataclass(frozen=True)
class Schema:
    """A kind of fact: {e} is the entity, {v} the value (of the given kind)."""

    key: str
    value: str
    statements: list[str]
    questions: list[str]


@dataclass
class Item:
    """A sentence of a passage with the questions that it answers: (question, value, kind)."""

    entity: str
    text: str
    asked: list[tuple[str, str, str]] = field(default_factory=list)


def read_schemas() -> dict[str, list[Schema]]:
    """schemas.txt by kind of entity: `id|entity|value|statement;...|question;...` a line."""
    table: dict[str, list[Schema]] = {k: [] for k in words.KINDS}
    for line in (Path(__file__).parent / "schemas.txt").read_text(encoding="utf-8").splitlines():
        key, entity, value, statements, questions = line.split("|")
        table[entity].append(Schema(key, value, statements.split(";"), questions.split(";")))
    return table


SCHEMAS = read_schemas()


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def third(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


def past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "ed"


class Source:
    """Names, figures and facts, drawn from a seeded generator."""

    def __init__(self, seed: int, blind: bool = False):
        self.rng = random.Random(seed)
        self.blind = blind
        self.syllables = words.SYLLABLES[int(blind)]
        self.first, self.last, self.named, self.towns = (
            words.half(x, blind) for x in (words.FIRST, words.LAST, words.NAMEWORDS, words.TOWNS)
        )
        self.materials, self.colours = words.half(words.MATERIALS, blind), words.half(words.COLOURS, blind)

    def pick(self, options: list) -> object:
        return options[int(self.rng.random() * len(options))]

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def ours(self, text: str) -> bool:
        """Whether all figures of two or more digits are of this source's class."""
        return all((zlib.crc32(f.encode()) % 5 == 0) == self.blind for f in FIGURE.findall(text))

    def fresh(self, make: Callable[[], str]) -> str:
        while True:
            text = make()
            if self.ours(text):
                return text

    def num(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    # names

    def name(self) -> str:
        x = self.rng.random()
        if x < 0.25:
            return self.pick(self.named)
        if x < 0.4 and not self.blind:  # odd strings, so that every token is copied now and then
            return "".join(self.pick("bcdfghjklmnprstvwz") + self.pick("aeiouy") + self.pick(["", "", "n", "r", "s", "l", "x"])
                           for _ in range(self.num(1, 4))).capitalize()  # fmt: skip
        return "".join(self.pick(self.syllables) for _ in range(self.pick([2, 2, 2, 3, 3]))).capitalize()

    def code(self) -> str:
        letter = lambda: self.pick("ABCDEFGHJKLMNPQRSTUVWXYZ")  # noqa: E731
        forms = [
            lambda: f"{letter()}{letter()}-{self.num(100, 9999)}", lambda: f"{letter()}-{self.num(100, 99999)}",
            lambda: f"{self.num(1000, 99999)}-{letter()}", lambda: f"{letter()}{self.num(100, 999)}",
            lambda: f"{self.num(10000, 999999)}",
        ]  # fmt: skip
        return self.fresh(self.pick(forms))

    def person(self) -> str:
        f = self.pick(self.first) if self.chance(0.6) else self.name()
        last = self.pick(self.last) if self.chance(0.4) else self.name()
        return self.pick([f"{f} {last}", f"{f} {last}", f"{f} {last}", f"Dr {last}", f"Ms {last}", f"Mr {last}"])

    def company(self) -> str:
        return f"{self.name()} {self.name() if self.chance(0.15) else self.pick(words.COMPANY)}"

    def team(self) -> str:
        n = self.name()
        return self.pick([f"the {n} {self.pick(words.TEAMS)} team", f"the {n} committee", f"the {n} board", f"the {n} group",
                          f"the {n} {self.pick(words.TEAMS)} department", f"the {n} office"])  # fmt: skip

    def document(self) -> str:
        w = self.pick(["procedure", "guideline", "form", "policy", "instruction", "handbook", "manual", "directive"])
        if self.chance(0.5):
            return f"{w} {self.code()}"
        return f"the {self.name()} {self.pick(['', '', self.pick(words.TEAMS) + ' '])}{w}"

    def entity(self, kind: str) -> str:
        n, c, p = self.name, self.code, self.pick
        forms: dict[str, list[Callable[[], str]]] = {
            "P": [n, n, lambda: f"{n()} {self.num(10, 990)}", lambda: f"{n()} {p(['XR', 'Plus', 'Pro', 'S', 'Max'])}",
                  lambda: f"the {n()} {p(words.GOODS)}"],
            "D": [self.document],
            "Q": [lambda: f"{p(words.EQUIPMENT)} {c()}", lambda: f"the {n()} {p(words.EQUIPMENT)}"],
            "J": [lambda: f"project {n()}", lambda: f"the {n()} project", lambda: f"the {n()} programme", lambda: f"project {c()}"],
            "H": [self.person],
            "O": [self.company],
            "S": [lambda: f"the {n()} site", lambda: f"the {n()} plant", lambda: f"the {n()} warehouse", lambda: f"the {n()} depot",
                  lambda: f"the {p(self.towns)} branch", lambda: f"building {c()}", lambda: f"the {p(self.towns)} office",
                  lambda: f"the {n()} {p(['school', 'museum', 'hotel', 'hospital', 'station', 'tower'])}"],
            "B": [lambda: f"{p(['batch', 'lot', 'shipment', 'order', 'sample'])} {c()}"],
            "T": [self.team],
            "C": [lambda: f"course {c()}", lambda: f"the {n()} course", lambda: f"the {n()} seminar", lambda: f"the {n()} class"],
            "V": [lambda: f"{p(words.VEHICLES)} {c()}", lambda: f"the {n()} {p(words.VEHICLES)}"],
            "Y": [n, lambda: f"the {n()} system", lambda: f"the {n()} database", lambda: f"{n()} {p(['Cloud', 'Desk', 'Mail', 'Suite'])}",
                  lambda: f"the {n()} app"],
            "E": [lambda: f"the {n()} {p(words.EVENTS)}", lambda: f"the {p(self.towns)} {p(words.EVENTS)}"],
        }  # fmt: skip
        return self.fresh(p(forms[kind]))

    def twin(self, entity: str) -> str:
        """A name that is easily taken for another one."""
        if re.search(r"\d\d", entity):
            swap = lambda m: str(self.num(10 ** (len(m[0]) - 1), 10 ** len(m[0]) - 1))  # noqa: E731
            return self.fresh(lambda: re.sub(r"\d\d+", swap, entity, count=1))
        parts = entity.split()
        if len(parts) == 1:
            return f"{entity} {self.pick(['Plus', 'Pro', 'Two', 'S'])}"
        i = self.pick([j for j, x in enumerate(parts) if x[0].isupper()] or [0])
        parts[i] = self.name()
        return " ".join(parts)

    # values

    def value(self, kind: str) -> str:
        return self.fresh(lambda: self._value(kind))

    def _value(self, kind: str) -> str:
        r, p = self.num, self.pick
        if kind == "dur":
            return p([f"{r(2, 30)} years", f"{r(2, 48)} months", f"{r(2, 60)} weeks", f"{r(2, 400)} days"])
        if kind == "days":
            return f"{r(5, 180)} {p(['days', 'working days', 'calendar days'])}"
        if kind == "hrs":
            return p([f"{r(2, 96)} hours", f"{r(10, 90)} minutes", f"{r(2, 14)} working days"])
        if kind == "min":
            return p([f"{r(5, 300)} minutes", f"{r(5, 300)} seconds", f"{r(2, 30)} hours"])
        if kind == "temp":
            return p(
                [f"{r(-80, 99)} °C", f"{r(2, 25)} to {r(26, 60)} °C", f"{r(20, 400)} degrees", f"minus {r(2, 80)} °C"]
            )
        if kind == "amt":
            a = p(
                [
                    f"{r(100, 999)}",
                    f"{r(1, 99)},{r(100, 999)}",
                    f"{r(100, 999)},000",
                    f"{r(1, 99)}.{r(10, 99)}",
                    f"{r(2, 90)} million",
                ]
            )
            return p([f"{a} euros", f"EUR {a}", f"${a}", f"{a} dollars", f"{a} pounds", f"CHF {a}"])
        if kind == "date":
            d, i, y = r(1, 28), r(1, 12), r(2012, 2034)
            m = words.MONTHS[i - 1]
            return p([f"{d} {m} {y}", f"{d} {m} {y}", f"{m} {d}, {y}", f"{y}-{i:02d}-{d:02d}", f"{d} {m}"])
        if kind == "pct":
            return p([f"{r(1, 99)} percent", f"{r(0, 30)}.{r(1, 9)} percent", f"{r(1, 99)}%"])
        if kind == "num":
            return f"{r(20, 9900)} {p(['units', 'pieces', 'boxes', 'litres', 'pallets', 'bottles', 'bags', 'tonnes'])}"
        if kind == "freq":
            return p([f"every {r(2, 24)} {p(['days', 'weeks', 'months'])}", f"every {p(words.WEEKDAYS)}", f"every {p(words.MONTHS)}",
                      f"{p(['once', 'twice', 'three times', 'four times'])} a {p(['year', 'month', 'week'])}"])  # fmt: skip
        if kind == "ext":
            return p([f"extension {r(100, 9999)}", f"0{r(10, 99)} {r(1000, 999999)}", f"number {r(1000, 99999)}"])
        if kind == "room":
            return p([f"room {r(100, 999)}", f"room {p('ABCDEFGH')}{r(1, 60)}", f"building {r(1, 40)}", f"hall {r(1, 30)}",
                      f"the {self.name()} room", f"floor {r(1, 30)}"])  # fmt: skip
        forms: dict[str, Callable[[], str]] = {
            "num2": lambda: str(r(3, 990)),
            "kg": lambda: p(
                [f"{r(2, 900)} kg", f"{r(1, 99)}.{r(1, 9)} kg", f"{r(5, 990)} grams", f"{r(2, 40)} tonnes"]
            ),
            "kw": lambda: p([f"{r(2, 900)} kW", f"{r(1, 40)}.{r(1, 9)} kW", f"{r(100, 2000)} watts"]),
            "km": lambda: p([f"{r(100, 900)},{r(100, 999)} km", f"{r(1000, 99999)} km", f"{r(100, 99999)} miles"]),
            "kmh": lambda: p([f"{r(20, 300)} km/h", f"{r(20, 200)} miles per hour"]),
            "mm": lambda: p(
                [f"{r(2, 900)} mm", f"{r(2, 99)}.{r(1, 9)} metres", f"{r(5, 300)} cm", f"{r(10, 90)} metres"]
            ),
            "gb": lambda: f"{r(2, 990)} {p(['GB', 'MB', 'TB'])}",
            "db": lambda: f"{r(20, 120)} decibels",
            "rpm": lambda: f"{r(100, 9000)} turns a minute",
            "bar": lambda: p([f"{r(1, 60)} bar", f"{r(1, 9)}.{r(1, 9)} bar"]),
            "sqm": lambda: p([f"{r(100, 9900)} square metres", f"{r(2, 60)} hectares"]),
            "ph": lambda: f"{r(2, 12)}.{r(1, 9)}",
            "year": lambda: str(r(1850, 2025)),
            "time": lambda: p(
                [f"{r(5, 22)}:{p(['00', '15', '30', '45'])}", f"{r(1, 12)} o'clock", f"{r(5, 22)}.{p(['05', '30'])}"]
            ),
            "ver": lambda: p([f"{r(1, 20)}.{r(0, 20)}", f"{r(1, 9)}.{r(0, 9)}.{r(0, 9)}"]),
            "place": lambda: p(self.towns) if self.chance(0.4) else self.name(),
            "mail": lambda: f"{self.name().lower()}@{self.name().lower()}.example",
            "mat": lambda: p(self.materials),
            "col": lambda: p(self.colours),
            "per": self.person,
            "org": self.company,
            "team": self.team,
            "doc": self.document,
            "code": self.code,
        }
        return forms[kind]()

    # kinds of fact put together from word lists

    def word(self, options: list[str]) -> str:
        """A word of the list, or now and then a made-up one, so that matching is learned and not the list."""
        return self.name().lower() if self.chance(0.12) else self.pick(options)

    def composed(self) -> Schema:
        x = self.rng.random()
        if x < 0.5:
            value = self.pick(list(words.ATTRIBUTES))
            a = self.word(_ATTRIBUTE_LISTS[value])
            if self.chance(0.35):
                a = f"{self.word(words.ADJECTIVES)} {a}"
            return Schema(f"a {a}", value, [
                f"the {a} of {{e}} is {{v}}", f"for {{e}}, the {a} is {{v}}", f"{{e}} has a {a} of {{v}}", f"the {a} for {{e}} was set at {{v}}",
                f"{{e}}: {a} {{v}}", f"{{v}} is the {a} of {{e}}", f"{{e}} comes with {{v}} as its {a}", f"as {a}, {{e}} has {{v}}",
                f"the {a} of {{e}} amounts to {{v}}", f"we recorded {{v}} as the {a} of {{e}}", f"{{e}} requires a {a} of {{v}}",
            ], [
                f"What is the {a} of {{e}}?", f"What {a} does {{e}} have?", f"Which {a} applies to {{e}}?", f"{{e}}: {a}?", f"{a} of {{e}}",
                f"How high is the {a} of {{e}}?", f"Tell me the {a} of {{e}}.", f"What is {{e}}'s {a}?", f"What {a} is given for {{e}}?",
            ])  # fmt: skip
        if x < 0.68:
            a = self.word(words.ROLES)
            y = self.rng.random()
            a = f"{self.word(words.ADJECTIVES)} {a}" if y < 0.25 else f"{self.word(words.TEAMS)} {a}" if y < 0.5 else a
            return Schema(f"r {a}", self.pick(["per", "per", "org"]), [
                f"the {a} of {{e}} is {{v}}", f"{{v}} is the {a} of {{e}}", f"{{v}} acts as {a} for {{e}}", f"{{e}} has {{v}} as its {a}",
                f"{{e}} has appointed {{v}} as {a}", f"{{v}} became {a} of {{e}}", f"{{v}} works for {{e}} as {a}", f"{a} of {{e}}: {{v}}",
            ], [
                f"Who is the {a} of {{e}}?", f"Who acts as {a} for {{e}}?", f"What is the name of the {a} of {{e}}?", f"{a} of {{e}}?",
                f"Who works as {a} for {{e}}?", f"Who is {{e}}'s {a}?",
            ])  # fmt: skip
        deed, finite = self.pick(words.PARTICIPLES), self.pick(["was", "was", "will be", "has been"])
        if self.chance(0.3):
            deed = past(self.pick(words.VERBS))
        value = self.pick(["per", "per", "org", "date", "place", "amt", "freq", "room"])
        by = {"per": "by", "org": "by", "date": "on", "place": "in", "amt": "for", "freq": "", "room": "in"}[
            value
        ] + " "
        by = by.lstrip()
        statements = [f"{{e}} {finite} {deed} {by}{{v}}", f"{by}{{v}}, {{e}} {finite} {deed}"]
        if value in ("per", "org"):
            statements = [statements[0], f"{{v}} {deed} {{e}}", f"it was {{v}} who {deed} {{e}}", statements[0]]
        questions = {
            "per": [f"Who {deed} {{e}}?", f"By whom was {{e}} {deed}?"],
            "org": [f"Who {deed} {{e}}?", f"Which company {deed} {{e}}?"],
            "date": [
                f"When {finite.split()[0]} {{e}} {' '.join([*finite.split()[1:], deed])}?",
                f"On which date was {{e}} {deed}?",
            ],
            "place": [f"Where was {{e}} {deed}?", f"In which place was {{e}} {deed}?"],
            "room": [f"Where was {{e}} {deed}?", f"In which room was {{e}} {deed}?"],
            "amt": [f"For how much was {{e}} {deed}?", f"For what sum was {{e}} {deed}?"],
            "freq": [f"How often was {{e}} {deed}?", f"How often is {{e}} {deed}?"],
        }[value]
        return Schema(f"d {value} {deed}", value, statements, questions)

    # plain prose by a small grammar

    def thing(self, noun: str) -> str:
        x = self.rng.random()
        q = f"{self.pick(words.QUALITIES)} " if x < 0.35 else ""
        return f"{self.pick(['the', 'the', 'the', 'every', 'each', 'this', 'any'])} {q}{noun}"

    def prose(self, subject: str = "", verb: str = "") -> Item:
        """A made-up sentence of prose with a question or two that it answers."""
        noun = lambda: self.word(words.NOUNS)  # noqa: E731
        s, o, v = subject or noun(), noun(), verb or self.pick(words.VERBS)
        subj, obj = self.thing(s), self.thing(o)
        short = lambda full, bare: full if self.chance(0.6) else f"the {bare}"  # noqa: E731
        where = f"{self.pick(['in', 'near', 'behind', 'at', 'on', 'under'])} {self.thing(noun())}"
        when = f"{self.pick(['before', 'after', 'during'])} {self.thing(noun())}"
        when = self.pick([when, f"in {self.pick(words.MONTHS)}", f"on {self.pick(words.WEEKDAYS)}", self.value("freq"),
                          f"within {self.value('days')}"])  # fmt: skip
        means = f"with {self.thing(noun())}"
        why = f"because {self.thing(noun())} {third(self.pick(words.VERBS))} {self.thing(noun())}"
        ask, extra = self.pick([("Where", where), ("When", when), ("How", means), ("Why", why), ("", "")])
        tail = f" {extra}" if extra else ""
        qs, qo = short(subj, s), short(obj, o)
        form = self.pick("aapppmmmicndt")
        if form == "a":
            text, asks = (
                f"{subj} {third(v)} {obj}{tail}",
                [f"What does {qs} {v}?", f"What {third(v)} {qo}?", f"Which {o} does {qs} {v}?"],
            )
            asks += [f"{ask} does {qs} {v} {qo}?"] * 2 if ask else []
        elif form == "p":
            be = self.pick(["is", "was", "has been"])
            text = f"{obj} {be} {past(v)} by {subj}{tail}"
            asks = [
                f"What {be} {past(v)} by {qs}?",
                f"By what {be.split()[0]} {qo} {past(v)}?",
                f"What {third(v)} {qo}?",
                f"Who {past(v)} {qo}?",
            ]
            asks += [f"{ask} is {qo} {past(v)}?"] if ask else []
        elif form == "m":
            must = self.pick(["must", "may", "can", "should", "will", "must not", "cannot"])
            text = f"{subj} {must} {v} {obj}{tail}"
            m = must.split()[0].replace("cannot", "can")
            asks = [f"What {must} {qs} {v}?", f"Who {must} {v} {qo}?", f"{capital(m)} {qs} {v} {qo}?"]
            asks += [f"{ask} {m} {qs} {v} {qo}?"] * 2 if ask else []
        elif form == "i":
            s2, v2, o2 = noun(), self.pick(words.VERBS), noun()
            then = f"{self.thing(s2)} {self.pick(['must', 'will', 'may'])} {v2} the {o2}"
            iff = self.pick(["if", "when", "as soon as", "unless"])
            text = (
                f"{iff} {subj} {third(v)} {obj}, {then}"
                if self.chance(0.6)
                else f"{then} {iff} {subj} {third(v)} {obj}"
            )
            asks = [
                f"What happens if {qs} {third(v)} {qo}?",
                f"When must the {s2} {v2} the {o2}?",
                f"What does the {s2} {v2}?",
            ]
        elif form == "c":
            count = self.pick(
                [self.value("num2"), self.pick(["two", "three", "four", "five", "six", "seven", "ten", "twelve"])]
            )
            text = self.pick([f"{count} {s}s are {past(v)}{tail}", f"{subj} has {count} {o}s", f"there are {count} {s}s {where}",
                              f"{subj} may {v} at most {count} {o}s"])  # fmt: skip
            if f" {o}s" in text:
                asks = [f"How many {o}s does {qs} have?" if " has " in text else f"How many {o}s may {qs} {v}?"]
            else:
                asks = [f"How many {s}s are {past(v)}?" if past(v) in text else f"How many {s}s are {where}?"]
        elif form == "n":
            q = self.pick(words.QUALITIES)
            text = f"{subj} is {q}{tail}"
            asks = [f"What is {q}?", f"How is {qs}?", f"Is {qs} {q}?"] + ([f"{ask} is {qs} {q}?"] * 2 if ask else [])
        elif form == "d":
            text = f"a {s} is a {self.pick(words.QUALITIES)} {o} that {third(v)} {self.thing(noun())}"
            asks = [f"What is a {s}?", f"What does {s} mean?", f"Define {s}."]
        else:
            o2, o3 = noun(), noun()
            text = f"{subj} {self.pick(['includes', 'covers', 'consists of', 'needs', 'contains'])} the {o}, the {o2} and the {o3}"
            asks = [
                f"What does {qs} include?",
                f"What does {qs} need?",
                f"What belongs to {qs}?",
                f"What contains the {o2}?",
            ]
        if tail and form in "apm" and self.chance(0.25):  # the adjunct first
            text = f"{extra}, {text.removesuffix(tail)}"
        text = capital(text) + "."
        return Item(s, text, [(capital(q), text[:-1], "prose") for q in self.rng.sample(asks, min(2, len(asks)))])

    # sentences of facts

    def decorated(self, text: str) -> str:
        def fill(t: str) -> str:
            return self.fresh(lambda: t.replace("{n}", str(self.num(1, 30))).replace("{y}", str(self.num(2001, 2030))))

        if ": " not in text:
            if self.chance(0.08):
                return fill(self.pick(words.OPENINGS)) + text
            if self.chance(0.1):
                return text + fill(self.pick(words.ENDINGS))
        return text

    def question(self, schema: Schema, entity: str) -> str:
        q = self.pick(schema.questions).replace("{e}", entity)
        x = self.rng.random()
        if x < 0.06:
            return self.pick(words.ASKING) + q
        if x < 0.1:
            return q.rstrip("?").lower() if x < 0.08 else q.rstrip("?")
        return capital(q)


_ATTRIBUTE_LISTS = {k: [" ".join(a.split()) for a in v.split(",")] for k, v in words.ATTRIBUTES.items()}
