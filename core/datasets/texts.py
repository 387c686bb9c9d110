"""Texts as they are compared: folded, and by the shingles that they share. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final
from zlib import crc32

from core.datasets.records import Sample

_SPACE: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r"\w+")
SHINGLE: Final = 3
"""Words of a shingle."""
BANDS, ROWS = 16, 4
"""Minhash signatures of 64 values in 16 bands: of pairs at 0.8 Jaccard, 99.98 % share a band; at 0.5, 64 %."""
_PRIME: Final = 4_294_967_311
LONGEST: Final = 20_000
"""Characters of a text that are compared."""
CROWD: Final = 50
"""Texts of a band that each text is compared with at most."""


def folded(text: str) -> str:
    """NFKC, case folded, white space as single spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def bare(text: str) -> str:
    """Folded, and without anything that is no letter or digit: punctuation and spacing don't make another question."""
    return " ".join(_WORD.findall(folded(text)))


def asked(sample: Sample) -> str:
    """What a sample asks: its conversation, or its one question."""
    return "\n".join(turn.content for turn in sample.turns) or sample.input


def content_key(sample: Sample) -> bytes:
    """A key that samples with exactly the same question and answers share."""
    parts = (asked(sample), sample.target or "", sample.answer, sample.chosen, sample.rejected, *sample.choices)
    return _digest("\x00".join(parts))


def question_key(text: str) -> bytes:
    """A key that questions share which are the same but for case, spacing and punctuation."""
    return _digest(bare(text) or folded(text))


def shingles(text: str) -> frozenset[int]:
    """Of a text: the hashes of each three words in a row, or of all its words where there are fewer."""
    words = bare(text[:LONGEST]).split()
    if len(words) < SHINGLE:
        return frozenset({_hash(" ".join(words))}) if words else frozenset()
    return frozenset(_hash(" ".join(words[at : at + SHINGLE])) for at in range(len(words) - SHINGLE + 1))


def near_pairs(sets: Sequence[frozenset[int]], since: int, least: float) -> Iterator[tuple[int, int, float]]:
    """(earlier, later, similarity) of places whose shingles are as alike as `least`: the most alike earlier one of each. With `since`, earlier
    ones lie before that place and later ones from it on. By minhash (Broder 1997) in bands, each candidate checked by its shingles."""
    import numpy as np

    draw = np.random.default_rng(20_260)
    a = draw.integers(1, 2**31, size=BANDS * ROWS, dtype=np.uint64)
    b = draw.integers(0, 2**31, size=BANDS * ROWS, dtype=np.uint64)
    known: dict[bytes, list[int]] = {}
    for place in _may_be_near(sets, least):
        found = sets[place]
        hashes = np.fromiter(found, dtype=np.uint64, count=len(found))
        signature = ((hashes[:, None] * a + b) % np.uint64(_PRIME)).min(axis=0).astype(np.uint64)
        keys = [bytes([band]) + signature[band * ROWS : (band + 1) * ROWS].tobytes() for band in range(BANDS)]
        best, score = -1, least
        if place >= since:
            candidates = {earlier for key in keys for earlier in known.get(key, ())}
            size = len(found)
            for earlier in sorted(candidates):
                other = sets[earlier]
                its = len(other)
                if its < (score - 1e-9) * size or size < (score - 1e-9) * its:
                    continue  # more can't be common than the smaller one has
                common = len(other & found)
                alike = common / (size + its - common)
                if alike >= score and (best < 0 or alike > score):
                    best, score = earlier, alike
        if best >= 0:
            yield best, place, score
        for key in keys if place < since or since == 0 else ():
            held = known.setdefault(key, [])
            if len(held) < CROWD:
                held.append(place)


def _may_be_near(sets: Sequence[frozenset[int]], least: float) -> list[int]:
    """Places of the sets of which enough is in any other set: a pair as alike as `least` has that share of each in common."""
    import numpy as np

    sizes = np.fromiter(map(len, sets), np.int64, len(sets))
    hashes = np.fromiter(chain.from_iterable(sets), np.int64, int(sizes.sum()))
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    shared = np.bincount(np.repeat(np.arange(len(sets)), sizes), counts[inverse] > 1, len(sets))
    found: list[int] = np.flatnonzero((sizes > 0) & (shared >= least * sizes - 1e-6)).tolist()
    return found


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
