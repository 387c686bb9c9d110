"""What rules and a classifier find in a text while a question is answered. Which of it counts, and what becomes of it, is the policy's word."""

from collections.abc import Iterable, Sequence
from typing import Final

from core.guards import instructions, invisible, personal
from core.guards.classifiers import Classifier
from core.guards.cutting import Stretch, merged
from core.guards.records import Guarded, GuardPolicy, Reaction, Span, Where
from core.guards.sieving import SIEVE
from core.jobs import Job

KINDS: Final = (*personal.KINDS, instructions.KIND, invisible.KIND)
STRICTNESS: Final[tuple[Reaction, ...]] = ("off", "mark", "withhold", "refuse")
MARKS: Final = {**personal.MARKS, instructions.KIND: "[instruction]", invisible.KIND: ""}


def found(text: str, kinds: Sequence[str]) -> list[Span]:
    """What the rules find of these kinds."""
    wanted = [kind for kind in personal.KINDS if kind in kinds]
    sifted = SIEVE.sift(text)
    spans = personal.spans(text, wanted, sifted) if wanted else []
    if instructions.KIND in kinds:
        spans += instructions.spans(text, sifted)
    if invisible.KIND in kinds:
        spans += invisible.spans(text)
    return sorted(spans, key=lambda span: (span.start, span.end))


def judged(texts: Sequence[str], policy: GuardPolicy, classifier: Classifier | None, job: Job) -> list[list[Span]]:
    """The same for several texts, with the classifier's word on each, which is about the whole of it."""
    spans = [found(text, policy.kinds) for text in texts]
    if classifier is not None and texts:
        for text, mine, score in zip(texts, spans, classifier.scores(texts, job), strict=True):
            if score >= policy.threshold:
                mine.append(
                    Span(kind=instructions.KIND, start=0, end=len(text), method=classifier.name, score=round(score, 4))
                )
    return spans


def noted(spans: Iterable[Span], where: Where, reaction: Reaction, passage: int = 0) -> list[Guarded]:
    """What the trace says of it."""
    return [
        Guarded(
            where=where,
            kind=span.kind,
            method=span.method,
            reaction=reaction,
            passage=passage,
            start=span.start,
            end=span.end,
            score=span.score,
        )
        for span in spans
    ]


def stretches(spans: Iterable[Span]) -> list[Stretch]:
    """What is taken out of a text, with its marks."""
    return merged((span.start, span.end, MARKS[span.kind]) for span in spans)


def strictest(policies: Sequence[GuardPolicy]) -> GuardPolicy:
    """One policy for collections that are asked together: of each place the strictest, of kinds all, the first classifier that is named."""
    if not policies:
        return GuardPolicy()

    def most(reactions: Iterable[Reaction]) -> Reaction:
        return max(reactions, key=STRICTNESS.index)

    judge = next((one for one in policies if one.classifier), policies[0])
    return GuardPolicy(
        input=most(one.input for one in policies),
        passages=most(one.passages for one in policies),
        output=most(one.output for one in policies),
        kinds=tuple(dict.fromkeys(kind for one in policies for kind in one.kinds)),
        classifier=judge.classifier,
        threshold=judge.threshold,
    )
