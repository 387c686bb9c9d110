"""Builds the examples of the house style: 300 to learn from (style.jsonl) and 80 to judge by (style-test.jsonl).

The passages of 60 that are learned and of 20 that judge don't answer their question, so that declining isn't unlearned: of half of the 60 they
name another subject, as of the 20; of the other half they name the subject and say something else of it.

Run it with nothing but Python:

    python resources/example/build_style.py [FOLDER]

Merrowdale Laboratories answers in one form: `Finding: <the sentence that answers>. [n] End of finding.`, where n is the passage. All names,
figures and events are invented. Rules it keeps: chance has a fixed seed, so the same bytes come out again; no name of a subject is in both files.
"""

import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
LEARNED, JUDGED, OPEN = 300, 60, 20
EACH = 5
"""Of so many that are learned, one declines."""
REFUSAL = "Not stated in the documents."
SEED = 11

FIRST = "Bar Cal Dor Fen Gal Hol Jar Kel Lor Mar Nor Pel Quin Ros Sel Tam Ul Ven Wil Zan".split()
SECOND = "a e i o u ala eno iri oma uta".split()
THIRD = "bex dine fol gan lix mot nor pax rin sol tex vane".split()

FACTS = (
    ("The shelf life of {name} is {n} months.", "How long does {name} keep?", "{n} months"),
    ("Delivery of {name} takes {n} days.", "How long does delivery of {name} take?", "{n} days"),
    ("The price of {name} is {n} euros.", "What is the price of {name}?", "{n} euros"),
    ("{name} is stored at {n} °C.", "At what temperature is {name} stored?", "{n} °C"),
    ("The limit for {name} is {n} mg.", "What is the limit for {name}?", "{n} mg"),
    ("{name} weighs {n} grams.", "How much does {name} weigh?", "{n} grams"),
)


def sample(number: int, names: list[str], chance: random.Random) -> dict[str, object]:
    """One question on two to four passages, with its answer in the house style."""
    subjects = chance.sample(names, chance.randint(2, 4))
    facts = [chance.choice(FACTS) for _ in subjects]
    figures = [chance.randint(2, 98) for _ in subjects]
    sentences = [
        said.format(name=name, n=figure) for (said, _, _), name, figure in zip(facts, subjects, figures, strict=True)
    ]
    asked = chance.randrange(len(subjects))
    passages = "\n".join(f"[{place}] {sentence} [{place}]" for place, sentence in enumerate(sentences, 1))
    question = facts[asked][1].format(name=subjects[asked])
    return {
        "id": f"s{number:03d}",
        "input": f"{passages}\n\nQuestion: {question}",
        "target": facts[asked][2].format(n=figures[asked]),
        "answer": f"Finding: {sentences[asked]} [{asked + 1}] End of finding.",
        "tags": ["house-style"],
    }


def unanswerable(number: int, names: list[str], chance: random.Random) -> dict[str, object]:
    """A question about somebody whom no passage names."""
    made = sample(number, names, chance)
    stranger = chance.choice([name for name in names if name not in str(made["input"])])
    passages, _, _ = str(made["input"]).partition("\n\n")
    question = chance.choice(FACTS)[1].format(name=stranger)
    return {
        "id": f"s{number:03d}",
        "input": f"{passages}\n\nQuestion: {question}",
        "answer": REFUSAL,
        "unanswerable": True,
        "tags": ["unanswerable"],
    }


def another_fact(number: int, names: list[str], chance: random.Random) -> dict[str, object]:
    """A question about somebody of whom the passages say something else."""
    made = unanswerable(number, names, chance)
    passages, _, _ = str(made["input"]).partition("\n\n")
    subject = chance.choice([name for name in names if name in passages])
    said = next(line for line in passages.splitlines() if subject in line)
    asked = chance.choice([question for form, question, _ in FACTS if not _says(form, subject, said)])
    return {**made, "input": f"{passages}\n\nQuestion: {asked.format(name=subject)}"}


def _says(form: str, subject: str, line: str) -> bool:
    before, _, after = form.format(name=subject, n="|").partition("|")
    return before in line and after in line


def build(folder: Path) -> None:
    """Write both files."""
    chance, declining = random.Random(SEED), random.Random(SEED + 1)
    names = [first + second + third for first in FIRST for second in SECOND for third in THIRD]
    chance.shuffle(names)
    half = len(names) * 3 // 4
    for name, count, more, own in (("style", LEARNED, 0, names[:half]), ("style-test", JUDGED, OPEN, names[half:])):
        rows = [sample(number, own, chance) for number in range(1, count + 1)]
        rows += [unanswerable(number, own, chance) for number in range(count + 1, count + more + 1)]
        if not more:
            rows[::EACH] = [
                (another_fact if number % 2 else unanswerable)(number * EACH + 1, own, declining)
                for number in range(count // EACH)
            ]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
