"""One cheap pass over a text that says which rules can match in which of its blocks at all, so that the others need not run.

A rule names what must stand in whatever it finds: groups of triples of characters, of each group one. All triples of a text are looked up in one
table (NumPy), and each block, what stands between two blank lines, gets the bits of the groups that were met. The pass never decides that something
is found: a block with all of a rule's bits is given to the rule as it is. So findings stay the same, to the letter
(`tests/unit/guards/test_sieving.py` compares them with those of rules that run everywhere).

Characters are looked up by class: small letters, capitals, any digit, some signs, and one class for the rest. A text with characters that a regular
expression takes for others (the Kelvin sign for a k, digits of other scripts) isn't sifted: every block of it has every bit.
"""

import re
import string
from collections.abc import Iterable, Sequence
from itertools import accumulate, product
from typing import Final

import numpy as np

PARTING: Final = "\n\n"
"""Between blocks."""
ALL: Final = (1 << 63) - 1
"""The bits of a block of which nothing is known."""
SMALL: Final = 60
"""Characters up to which a text isn't worth a pass."""
_SIGNS: Final = "+/ \n.,@:<["
_CLASSES: Final = 64
_OTHER: Final = _CLASSES - 1
_DIGIT: Final = 52
_KNOWN: Final = {
    "\n": _DIGIT + 1 + _SIGNS.index(" "),  # a line's end parts words as a space does
    **{letter: number for number, letter in enumerate(string.ascii_letters)},
    **dict.fromkeys(string.digits, _DIGIT),
    **{sign: _DIGIT + 1 + number for number, sign in enumerate(_SIGNS) if sign != "\n"},
}
_FOLD: Final = bytes(_KNOWN.get(chr(byte), _OTHER) for byte in range(256))
_ODD: Final = re.compile(
    "[\u0130\u0131\u017f\u212a\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u1c59\ua620-\uabf9\uff10-\uff19\U000104a0-\U0001fbf9]"
)
"""Letters that case folding takes for Latin ones, and the ranges in which there are digits of other scripts (emoji among them)."""
_COMMON: Final = frozenset(
    (
        "the ion tio ent ati ing and pro for ess ate ica ers ect nti per der con tic ons ces dat cat ide aut men uth ter her all ity cti hen son "
        "res rti ver den ata nce ere ssi nal lic rso ona roc art nte oce int ith era ten hat sta ted ber ich tha sin wit thi com tor sub act sec "
        "ist ass rat ont orm use ser tho rit est hal ori ntr mat sha ste ive are ies ifi oll sse eme gen tro ine red iti equ rec his abl enc ses "
        "not ble und nde sio die tra ant rma lle app inf ung par nfo ure ire bli tiv req eri rol fer whe tat ran jec vid rov ial ard tec cle bje "
        "rib mpl sed nat tit ame ert eci nis hor acc age ene sen ech fic erv lat din ain anc end nts ose inc hou ein oul str qui uld pos one tri "
        "icl ubj tin ple sor ice ord eas ovi omp pri cou rvi nen hic cre uir che eve ris vis out ffe cri spe igh ern rea cha ode oun ato ref tem "
        "mit sur pli man han reg ase ler nge ote rot gra whi ula sup ans scr pec cal des may cht min sho att rom oth unt ove uni sch eit pre ind "
        "mbe pur ren ite ory isi rem pub ese ppl cor lin mem ubl ght ede tie ens ndi lit ili uch ibe can evi fie efe clu ani fro omm rel err rre "
        "sti iso rin ort ner ubs lud yst tab egu rig ara suc nta sat rde ncl ach tan rif sys ral tes upe imp cia nam rap tur rop tif ete nsi ret "
        "etr bil vic aph les its hei lis dit wor emb rpo but fin iss ini any lea bsc ope ary ded bet nic tai ier rag off que udi ors ric hav cco "
        "ura ise ave our ied iat nes ore erm ele cur add org ria ail ega uri cla tal cer ike eco ute ins ree ome fac ali mea ita sso ece tim ecr "
        "por gem fed lly ela hts ppr een low erf urp fen div ult edi ang ivi cis leg cce lar nio ecu eed als ven ues rds val lie met you car isk "
        "gul ned mor ann sis lai nin nda rmi ext bei ill rie cto llo wer cte eli ish pla chn ici ack cif mis vel riv tte rac med ear gan atu ake "
        "nst alt iva igi ina has nne csp mar ime agr hin isa abi ond ibu ssu git rep onc del imi ust dec dev ell ien lec law nec bas lev cts rof "
        "nsu tak eir kel col dis rga ong ofi oss own emo sic rou ssa rna har gat tun mon sid itu ima dig itt sib ual aus asu tia det key dur nci "
        "cul lan eac exp isc tig ean eth ign auf urs ely ize two rbe tre ved eat rar lia mai nse abs tli roo len bin pen dre cry ryp ypt lem rch "
        "esp rfo acy fec lab oof tel sar thr sit nit fol rev tac opr sig usi kin ttr cie hos oin arb icu eff ngs rne ila idp hey hre sel las ude "
        "ems sua ale onl eal dan ves ana ibl ful mme uct ges sto ade aim gar rce dem hes tik fre ogr ffi lig dar iga esc ume lti ird amp ast dom "
        "log wil rsu abo tex egi gui dic etw ark emp ile duc pti hni onf oni owe rio tta mmi ava ddr cke riz ger hir ari mes try ost tog rta ncy "
        "bou exa rri opt uan bes oge usa phi eng owi ben bez pto put rli ugh nee zed she lid rge nsf aal pon gua vin vai sfe bee cas run das xam "
        "gre ron ora set vac esi oug mpe wee gal uid ian tru sam ule htt ttp led nbe how "
    ).split()
)
"""Triples that stand in every English text."""
_LEADS: Final = bytes(
    {chr(code).encode()[0] for code in range(0x80, 0x20000) if not 0xD800 <= code < 0xE000 and _ODD.match(chr(code))}
    - {0xE2}
)
"""The first bytes of such characters in UTF-8, the Kelvin sign's aside."""
AT_ONCE: Final = 32_768
"""Characters whose numbers fit into a processor's near memory."""
_FREQUENT: Final = "etaoinsrhdlcumfpgwybvkxqjz"
"""Letters by how often they stand in English text."""

ANY: Final = tuple(range(_CLASSES))
DIGIT: Final = (_DIGIT,)
CAPITAL: Final = (*range(26, 52), _OTHER)
"""Of any script."""
LETTER: Final = (*range(52), _OTHER)
SPACE: Final = (_KNOWN[" "],)
NO_LETTER: Final = (*range(_DIGIT, _CLASSES),)
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Triple = tuple[Sequence[int], Sequence[int], Sequence[int]]


def is_odd(text: str, whole: bytes) -> bool:
    """Whether a text (`whole` in UTF-8) has characters that the table doesn't know as regular expressions do."""
    if len(whole) == len(text):
        return False
    return "\u212a" in text or (len(whole.translate(None, _LEADS)) < len(whole) and _ODD.search(text) is not None)


def one_of(characters: str) -> tuple[int, ...]:
    """The classes of these characters."""
    return tuple(dict.fromkeys(_KNOWN.get(character, _OTHER) for character in characters))


def triple(text: str, *, cased: bool = False) -> Triple:
    """The rarest triple of a literal, which must be in whatever holds it; in both cases of each letter unless `cased`."""
    sets: list[Sequence[int]] = []
    for character in text:
        if character.isascii():
            sets.append(one_of(character if cased else character.lower() + character.upper()))
        else:
            sets += [(_OTHER,)] * len(character.encode())
    sets += [ANY] * (3 - len(sets))
    places = range(len(sets) - 2)
    best = min(
        places, key=lambda at: sum(map(_weight, sets[at : at + 3])) + 20 * (_letters(sets[at : at + 3]) in _COMMON)
    )
    return sets[best], sets[best + 1], sets[best + 2]


def _letters(sets: Sequence[Sequence[int]]) -> str:
    return "".join(string.ascii_letters[one[0]].lower() if one[0] < _DIGIT else " " for one in sets)


def _weight(classes: Sequence[int]) -> float:
    """How often one of the classes stands in a text, in logarithms of a sort."""
    if len(classes) > 2:
        return 12.0
    letter = string.ascii_letters[classes[0]].lower() if classes[0] < _DIGIT else ""
    rank = 26 - _FREQUENT.index(letter) if letter else 16 if classes[0] < _OTHER and classes[0] != _KNOWN[" "] else 40
    return rank / 3 - 8 * (len(classes) == 1 and 26 <= classes[0] < _DIGIT)


class Sieve:
    """The groups of all rules, and the table."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Triple, ...], int] = {}
        self._bits = np.zeros(_CLASSES**3, dtype=np.int64)
        self._met = np.zeros(_CLASSES**3, dtype=np.bool_)

    def group(self, triples: Iterable[Triple]) -> int:
        """The bit of a group of which one triple must be in a block."""
        known = tuple(triples)
        if known not in self._groups:
            bit = 1 << len(self._groups)
            if bit > ALL:
                raise ValueError("the sieve has room for 63 groups")
            self._groups[known] = bit
            codes = [first << 12 | second << 6 | third for one in known for first, second, third in product(*one)]
            self._bits[codes] |= bit
            self._met[codes] = True
        return self._groups[known]

    def literals(self, needs: Iterable[str], *, cased: bool = False) -> int:
        """The bit of a group of literals, of which one must be in a block."""
        return self.group(dict.fromkeys(triple(need, cased=cased) for need in needs))

    def sift(self, text: str) -> list[tuple[int, int, int]]:
        """The blocks of a text in which anything was met: start, end, bits."""
        whole = text.encode("utf-8", "surrogatepass")
        if len(whole) < SMALL or is_odd(text, whole):
            return self._all(text)
        blocks = text.split(PARTING)
        places, codes = self._hits(np.frombuffer(whole.translate(_FOLD) + b"\x3f\x3f", dtype=np.uint8))
        if not len(places):
            return []
        lengths = [len(block) + 2 for block in (blocks if len(whole) == len(text) else whole.split(b"\n\n"))]
        owner = np.searchsorted(np.cumsum(lengths), places, side="right")
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        bits = np.bitwise_or.reduceat(self._bits[codes], first).tolist()
        starts = list(accumulate(map(len, blocks), lambda at, length: at + length + 2, initial=0))
        return [(starts[one], starts[one + 1] - 2, met) for one, met in zip(owner[first].tolist(), bits, strict=True)]

    def _hits(self, classes: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[Places, Places]:
        """Where a triple was met that a group has, and its number."""
        places, codes = [], []
        for at in range(0, len(classes) - 2, AT_ONCE):
            wide = classes[at : at + AT_ONCE + 2].astype(np.int64)
            numbers = (((wide[:-2] << 6) | wide[1:-1]) << 6) | wide[2:]
            hits = np.flatnonzero(self._met[numbers])
            places.append(hits + at)
            codes.append(numbers[hits])
        return np.concatenate(places), np.concatenate(codes)

    @staticmethod
    def _all(text: str) -> list[tuple[int, int, int]]:
        found, at = [], 0
        for block in text.split(PARTING):
            found.append((at, at + len(block), ALL))
            at += len(block) + len(PARTING)
        return found


SIEVE: Final = Sieve()
"""That of all rules of the guards."""
