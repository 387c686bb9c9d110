"""Personal data in text, as rules: forms, check digits, and words that stand before them.

Rules: every rule is linear in the text (each run of characters has a bound); a number with a check digit counts only where it fits; what has
no form of its own (a name, an age, a driving licence) is found by the words around it alone, and is missed without them. Where two kinds are
found at one place, the one that stands first in `KINDS` is kept. How much each finds and how often it is wrong is measured by kind
(`tests/unit/guards/test_personal_measured.py`).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from string import ascii_letters, ascii_uppercase
from types import MappingProxyType
from typing import Final

from core.guards import checks
from core.guards.records import Span
from core.guards.sieving import ANY, CAPITAL, DIGIT, LETTER, NO_LETTER, SIEVE, SPACE, Triple, one_of, triple

_SEPARATED: Final = re.compile(r"[ \u00a0.\-\u2010-\u2013/]")
_MONTHS: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|"
    "januar|februar|märz|mai|juni|juli|oktober|dezember"
)
_DATE: Final = (
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|"
    rf"\d\d{{0,1}}(?:st|nd|rd|th)?\.? (?:{_MONTHS})\.?,? \d{{4}}|(?:{_MONTHS})\.? \d{{1,2}},? \d{{4}}|\d{{4}})"
)
_CAPITAL: Final = r"[^\W\d_a-zà-öø-ÿ]"
_PART: Final = rf"{_CAPITAL}[\w'’-]{{1,30}}"
_NAME: Final = (
    rf"{_PART}(?: (?:{_CAPITAL}\.|{_CAPITAL}(?= )|(?:von|van|de|der|da|di|du|la|le|bin|al) {_PART}|{_PART})){{0,3}}"
)
_AFTER: Final = (
    "Street|Str|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|Way|Terrace|Close|Crescent|Highway|Hwy|Parkway|"
    "Gardens|Grove|Mews|Hill|Row"
)
"""Words that end a street's name; St and Dr stand before names too, so a number must open the address."""
_BEFORE: Final = (
    "Rue|Via|Viale|Piazza|Calle|Avenida|Avda|Av|Avenue|Boulevard|Rua|Ulica|Ul|ul|ulica|rue|via|rua|calle|Route|Chemin|Plaza|"
    "Paseo|Carrera"
)
_ENDINGS: Final = tuple(
    "strasse straße str. gasse platz weg allee straat laan plein gracht gade gata gatan vej vägen veien vegen vegur stræti katu tie kuja "
    "utca útja tér "
    "allé gränd stien alle u.".split()
)
_WORD: Final = r"[\w'’.-]{1,24}"
_DOOR: Final = r"(?:,? (?:Apt|Suite|Unit|Flat)\.? ?\d{1,5}[A-Za-z]?)?"


@dataclass(frozen=True)
class _Rule:
    """`group` is what is found; `fits` is asked about it. A text is searched only where it has one of `needs` (lower case).

    A pattern begins with what it can begin with, and with no assertion: so the regular expression engine skips to where it may match. That
    nothing of a word stands before it is looked at afterwards."""

    kind: str
    pattern: re.Pattern[str]
    group: int | str = 0
    fits: Callable[[str], bool] | None = None
    needs: tuple[str, ...] = ()
    long: bool = False
    """Only where a text has a number of six digits or more."""
    digits: int = 0
    """Only where so many digits follow each other, with nothing but separators of numbers between them."""
    forms: tuple[tuple[Triple, ...], ...] = ()
    """Groups of triples of characters; what the pattern finds has one of each."""


def _ended(word: str) -> Triple:
    """A triple of a word that begins with a capital, with its end where it is short."""
    if len(word) > 2:
        return triple(word, cased=True)
    first, second = (one_of(letter) for letter in word)
    return first, second, (*NO_LETTER, *LETTER[-1:])


def _plain(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    """Asks about a text without its separators."""
    return lambda text: fits(_SEPARATED.sub("", text))


def _phone(text: str) -> bool:
    digits = sum(character.isdecimal() for character in re.split(r"[xe]", text, maxsplit=1)[0])
    return 7 <= digits <= 15 and _A_DATE.fullmatch(text) is None


def _ip(text: str) -> bool:
    """Sections of a document have four small numbers too."""
    parts = [int(part) for part in text.split(".")]
    return max(parts) < 256 and (max(parts) > 31 or (parts[0] == 10 and 0 in parts))


_A_DATE: Final = re.compile(r"\d\d{3}([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{2,4}")
_I: Final = re.IGNORECASE
_C: Final = re.compile
_NUMBER: Final = r"[\d(+][\d ()./\u2010-\u2013-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?"
_CALLED: Final = (
    *(
        "phone",
        "tel",
        "téléphone",
        "mobil",
        "cell",
        "desk",
        "fax",
        "call",
        "me at",
        "us at",
        "someone at",
        "me on",
        "us on",
        "someone on",
    ),
    *("registered", "answering at", "message to", "messages to", "handy", "contact"),
)
_NO_STREETS: Final = re.compile(
    rf"\b(?:{_MONTHS}|level|section|part|page|version|chapter|absatz|artikel|article|step|table|figure|type|class|group|day|week|fortune)\b",
    _I,
)
_UPPER: Final = one_of(ascii_uppercase)
_POINT: Final = one_of(".")
_COLON: Final = one_of(":")
_HEXADECIMAL: Final = (*DIGIT, *one_of("abcdefABCDEF"))
_THREE: Final = ((DIGIT, DIGIT, DIGIT),)
_DIGITS: Final = ((DIGIT, DIGIT, DIGIT), (DIGIT, (*SPACE, *one_of("-")), DIGIT))
_NUMBER_AFTER: Final = ((SPACE, DIGIT, ANY),)
_BEGUN: Final = tuple(dict.fromkeys(_ended(word) for word in _BEFORE.split("|")))
_STREET_NUMBER: Final = (
    (DIGIT, SPACE, (*CAPITAL, *DIGIT, *one_of("dl"))),
    (DIGIT, one_of(","), SPACE),
    (DIGIT, LETTER, (*SPACE, *one_of(","))),
)
_TITLES: Final = (
    "Mr",
    "Mrs",
    "Ms",
    "Miss",
    "Dr",
    "Prof",
    "Sir",
    "Herr",
    "Frau",
    "Mme",
    "Monsieur",
    "Madame",
    "Señor",
    "Signor",
)
_GREETED: Final = (
    *("Name:", "named him", "named her", "Dear", "igned by", "Patient:", "User:", "egards,", "incerely,", "was called"),
)
_NO_NAMES: Final = frozenset(
    "Sir Madam Customer Customers All Team Colleague Colleagues Friend Friends Reader User Members Member The".split()
)
RULES: Final = (
    _Rule("email", _C(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}(?!\w)"), needs=("@",)),
    _Rule("url", _C(r"(?:https?|ftp)://[^\s<>\"'()\[\]{}|]{2,2000}[\w/]", _I), needs=("://",)),
    _Rule("url", _C(r"www\.(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?:/[^\s<>\"']{0,500})?", _I), needs=("www.",)),
    _Rule("card", _C(r"\d(?:[ -]?\d){11,18}(?!\w)"), fits=_plain(checks.card), long=True, digits=12, forms=(_DIGITS,)),
    _Rule("national-id", _C(r"\d\d{2}([- ])\d{2}\1\d{4}(?![\w-])"), fits=_plain(checks.social_security), long=True, digits=9, forms=(_THREE,)),
    _Rule(
        "national-id",
        _C(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?<!BG|GB|NK|KN|TN|NT|ZZ) ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"),
        long=True,
        forms=((*((DIGIT, one_of("ABCD"), ANY),), *((DIGIT, SPACE, one_of("ABCD")),)),),
    ),
    _Rule("national-id", _C(r"[\dXYZ]\d{7}-?[A-Z](?!\w)"), fits=_plain(checks.dni), long=True,
        digits=7, forms=(_THREE, ((DIGIT, _UPPER, ANY), (DIGIT, one_of("-"), _UPPER)))),
    _Rule("national-id", _C(r"[A-Z][A-Z]{5}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)"),
        forms=(((_UPPER, DIGIT, DIGIT),), ((_UPPER, _UPPER, _UPPER),))),
    _Rule("national-id", _C(r"[12] ?\d{2} ?[01]\d ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\w)"),
        fits=_plain(checks.nir), long=True, digits=15, forms=(_THREE,)),
    _Rule(
        "national-id",
        _C(r"(?:steuer-?(?:id|identifikationsnummer|nummer)|idnr|tin)\W{1,4}(?P<id>\d(?: ?\d){10})(?!\w)", _I),
        "id",
        _plain(checks.tax_id_german),
        ("steuer", "idnr", "tin"),
        long=True,
        digits=11,
    ),
    _Rule("national-id", _C(r"pesel\W{1,4}(?P<id>\d{11})(?!\w)", _I), "id", checks.pesel, ("pesel",)),
    _Rule(
        "national-id",
        _C(r"(?:bsn|burgerservicenummer)\W{1,4}(?P<id>\d(?:[ .]?\d){8})(?!\w)", _I),
        "id",
        _plain(checks.bsn),
        ("bsn", "burgerservice"),
    ),
    _Rule(
        "national-id",
        _C(r"(?:nif|contribuinte)\W{1,4}(?P<id>\d(?: ?\d){8})(?!\w)", _I),
        "id",
        _plain(checks.nif),
        ("nif", "contribuinte"),
        long=True,
        digits=9,
    ),
    _Rule("national-id", _C(r"nhs\b\D{1,12}(?P<id>\d{3} ?\d{3} ?\d{4})(?!\w)", _I), "id", _plain(checks.nhs), ("nhs",)),
    _Rule(
        "licence",
        _C(
            r"(?:driv(?:er|ing)['’]?s?['’]? licen[cs]e|passport|führerschein|reisepass|personalausweis|identity card)"
            r"(?: (?:number|no\.?|nr\.?|is|#|id)| ?[:#-]){1,3} ?(?P<id>(?=[\w-]{0,12}\d)[A-Z0-9][A-Z0-9-]{4,19})(?!\w)",
            _I,
        ),
        "id",
        needs=("licen", "passport", "führerschein", "reisepass", "ausweis", "identity card"),
    ),
    _Rule("ip", _C(r"\d\d{0,2}(?:\.\d{1,3}){3}(?!\w|\.\d)"), fits=_ip, forms=(((DIGIT, _POINT, DIGIT),),)),
    _Rule("ip", _C(r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", _I), needs=(":",), long=True, forms=(((_COLON, _HEXADECIMAL, ANY),),)),
    _Rule(
        "birth-date",
        _C(
            r"(?:date of birth|birth ?date|birthday|born(?: on| in)?|dob|geburtsdatum|geboren(?: am)?|date de naissance|née? le|fecha de nacimiento)"
            rf"(?:[.:]? ?(?:is|was|it['’]s|it is|on))?[ :.]{{0,3}}(?P<date>{_DATE})(?!\w)",
            _I,
        ),
        "date",
        needs=("birth", "born", "dob", "gebur", "gebor", "naissance", "né le", "née le", "nacimiento"),
    ),
    _Rule("age", _C(r"\d\d{0,2}[ -]years?[ -]old\b", _I), needs=("year old", "years old", "year-old", "years-old")),
    _Rule("age", _C(r"age[ds]?(?: of)?[: ] ?(?P<age>\d{1,3})(?![\w.%,])", _I), "age", needs=("age",)),
    _Rule("age", _C(r"(?:just turned|i['’]ll turn|i['’]m) (?P<age>\d{1,3})(?![\w%])", _I), "age", needs=(" turn", "'m ", "’m ")),
    _Rule(
        "address",
        _C(rf"\d\d{{0,5}}[a-z]?,? (?:\d{{1,5}}[a-z]? )?(?:{_CAPITAL}{_WORD} |\d{{1,4}}(?:st|nd|rd|th) |[Dd]e |[Ll]a ){{1,4}}?(?:{_AFTER})\b{_DOOR}"),
        forms=(_STREET_NUMBER, tuple(dict.fromkeys(_ended(word) for word in _AFTER.split("|")))),
    ),
    _Rule("address", _C(rf"(?:{_BEFORE})\b\.? (?:{_WORD} ){{1,4}}?\d{{1,5}}[a-z]?(?!\w)"), forms=(_NUMBER_AFTER, _BEGUN)),
    _Rule("address", _C(rf"\d\d{{0,5}} (?:\d{{1,5}},? )?(?:{_BEFORE})\b\.? {_WORD}(?: {_CAPITAL}{_WORD}){{0,3}}"),
        forms=(((DIGIT, (*SPACE, *one_of(",")), ANY),), _BEGUN)),
    _Rule(
        "address",
        _C(rf"\d\d{{2,5}} (?:\d{{1,5}} )?{_CAPITAL}{_WORD} (?:{_CAPITAL}{_WORD} )?\d{{1,4}}[a-z]?{_DOOR}(?![\w.])"),
        fits=lambda text: re.match(r"(?:19|20)\d\d ", text) is None and not _NO_STREETS.search(text),
        forms=(((DIGIT, DIGIT, DIGIT),), ((DIGIT, SPACE, CAPITAL),), _NUMBER_AFTER),
    ),
    _Rule(
        "address",
        _C(r"(?:[Pp]\.? ?[Oo]\.? [Bb]ox|PSC|Postfach|Apartado|[Aa]pt\.?|[Ss]uite|[Uu]nit \d{1,5},? [Bb]ox|Box) #?\d{1,6}(?:,? [Bb]ox "
        r"\d\d{0,5})?(?!\w)"),
        needs=("box ", "psc ", "postfach ", "apartado ", "apt ", "apt.", "suite "),
    ),
    _Rule("address", _C(rf"(?:corner of|billing address|address:?|lives? (?:at|on)|lives? in) (?P<place>(?:the corner of )?(?:\d{{1,6}} "
    rf")?{_CAPITAL}{_WORD}(?: [\w'’.-]{{1,24}}){{0,3}} \d{{1,5}})(?!\w)"), "place", needs=("address", "corner of", "live"), forms=(_NUMBER_AFTER,)),
    _Rule(
        "postcode",
        _C(r"(?:zip(?: ?code)?|post(?:al)? ?code|plz|code postal)(?: is)?[ :]{1,3}(?P<code>[A-Z0-9]{2,5}(?:[ -][A-Z0-9]{2,4})?)(?!\w)", _I),
        "code",
        lambda text: any(character.isdecimal() for character in text),
        ("zip", "post", "plz"),
    ),
    _Rule(
        "postcode",
        _C(r"[A-Z][A-Z]?\d[A-Z\d]? \d[A-Z]{2}(?!\w)"),
        forms=(((DIGIT, CAPITAL, CAPITAL),), ((CAPITAL, DIGIT, ANY),), (((*CAPITAL, *DIGIT), SPACE, DIGIT),)),
    ),
    _Rule("phone", _C(r"\+[1-9][\d ()./\u2010-\u2013-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\w)"),
        fits=_phone, needs=("+",), long=True, forms=(((one_of("+"), DIGIT, ANY),),)),
    _Rule("phone", _C(r"00[1-9][\d ()./\u2010-\u2013-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\w)"),
        fits=_phone, needs=("00",), long=True, forms=(((DIGIT, DIGIT, DIGIT),),)),
    _Rule(
        "phone",
        _C(
            r"(?:phone|tel|telephone|telefon|téléphone|mobile|mobil|cell|desk|fax|call(?: me| us| someone)?(?: at| on)?|(?:me|us|someone) "
            r"(?:at|on)|registered|"
            rf"answering at|messages? to|handy|contact)[ .:()]{{1,3}}\n?(?P<number>{_NUMBER})(?!\w)",
            _I,
        ),
        "number",
        _phone,
        _CALLED,
        long=True,
        digits=7,
    ),
    _Rule("phone", _C(rf"(?P<number>{_NUMBER})[ -]{{1,2}}(?:office|fax|mobile|home|work|desk|cell)\b", _I),
        "number", _phone, ("office", "fax", "mobile", "home", "work", "desk", "cell"), long=True),
    _Rule("phone", _C(r"[\d(]\d{2,3}\)?[ .-]?\d{3}[.-]\d{4}(?:x\d{1,6})?(?![\w-])"), long=True, digits=9, forms=(_THREE,)),
    _Rule("phone", _C(r"0\d{1,4}[ /-]\d{2,4}(?:[ -]\d{2,4}){1,4}(?![\w-])"),
        fits=_phone, needs=("0",), long=True, digits=6, forms=(((DIGIT, (*SPACE, *one_of("/-")), DIGIT),),)),
    _Rule(
        "person",
        _C(rf"(?:Mrs?|Ms|Miss|Dr|Prof|Sir|Herr|Frau|Mme|Monsieur|Madame|Señora?|Signora?)\b\.? (?P<name>{_NAME})"),
        "name",
        lambda text: text not in ("Plus", "Office", "Windows", "Word", "Excel"),
        forms=(tuple(dict.fromkeys(_ended(word) for word in _TITLES)),),
    ),
    _Rule(
        "person",
        _C(rf"(?:[Mm]y|[Hh]is|[Hh]er|[Yy]our|[Ff]ull|[Ff]irst|[Ll]ast|[Mm]aiden|[Pp]atient) [Nn]ame(?: is|:)\s{{1,3}}(?P<name>{_NAME})"),
        "name",
        needs=("name is", "name:"),
    ),
    _Rule(
        "person",
        _C(rf"(?:Name:|named (?:him|her)|Dear|[Ss]igned by|Patient:|User:|[Rr]egards,|Sincerely,|grand(?:father|mother) was "
        rf"called)\s{{1,3}}(?P<name>{_NAME})"),
        "name",
        lambda text: text.split()[0] not in _NO_NAMES,
        tuple(word.lower() for word in _GREETED),
        forms=(tuple(dict.fromkeys(triple(word, cased=True) for word in _GREETED)),),
    ),
)  # fmt: skip

_SIX_DIGITS: Final = re.compile(r"\d[ ()./\u2010-\u2013-]{0,2}\d(?:[ ()./\u2010-\u2013-]{0,2}\d){4}")
_HOUSE: Final = re.compile(r"\d\d{0,4}[a-z]?(?!\w)")
_STREET: Final = re.compile(rf"(?:\d{{1,6}} )?(?:{_CAPITAL}{_WORD} )?{_CAPITAL}{_WORD}$")
_WITHOUT_DIGITS: Final = ("email", "url", "person")
_DIGIT: Final = re.compile(r"\d")
_CLUSTER: Final = re.compile(r"\d(?:[ \u00a0()./\u2010-\u2013-]*\d){5,}")
_IBAN: Final = re.compile(r"[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?!\w)")
_EVERY: Final = (
    *RULES,
    _Rule("iban", _IBAN, long=True, forms=((((*one_of(ascii_letters),), DIGIT, DIGIT),),)),
    _Rule("address", _HOUSE, forms=((((*LETTER, *_POINT), SPACE, DIGIT),),)),
)
"""With the two that look at what they find in a way of their own."""
_ANY_DIGIT: Final = ((DIGIT, ANY, ANY),)
_NEED: Final = tuple(
    reduce(
        or_,
        map(SIEVE.group, (*rule.forms, *(() if rule.kind in _WITHOUT_DIGITS else (_ANY_DIGIT,)))),
        SIEVE.literals(rule.needs) if rule.needs else 0,
    )
    for rule in _EVERY
)

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "email": "e-mail addresses",
        "url": "web addresses",
        "iban": "account numbers (IBAN)",
        "card": "payment cards",
        "national-id": "national identity and tax numbers",
        "licence": "driving licences, passports and identity cards",
        "ip": "IP addresses",
        "birth-date": "dates of birth",
        "address": "postal addresses",
        "postcode": "postcodes",
        "phone": "telephone numbers",
        "age": "ages",
        "person": "names of people, by the words before them",
    }
)
"""What a rule can find, in words. The order says which is kept where two are found at one place."""
MARKS: Final[Mapping[str, str]] = MappingProxyType({kind: f"[{kind.replace('-', ' ')}]" for kind in KINDS})
"""What stands in a text in the place of what was redacted."""


def spans(
    text: str, kinds: Collection[str] = tuple(KINDS), sifted: Sequence[tuple[int, int, int]] | None = None
) -> list[Span]:
    """What rules find in a text, in order, apart from each other. `sifted` is what `SIEVE.sift` says of it, where that is known."""
    found: list[Span] = []
    wanted = frozenset(kinds)
    for start, end, bits in SIEVE.sift(text) if sifted is None else sifted:
        if rules := _rules(bits, wanted):
            found += _in_part(text[start:end], start, rules)
    return _apart(found)


def kinds_in(text: str) -> tuple[str, ...]:
    """The kinds of what rules find in a text, in the order of `KINDS`."""
    found = {span.kind for span in spans(text)}
    return tuple(kind for kind in KINDS if kind in found)


@lru_cache(maxsize=4096)
def _rules(bits: int, kinds: frozenset[str]) -> tuple[_Rule, ...]:
    """The rules that may find something in a block with these bits."""
    return tuple(rule for rule, need in zip(_EVERY, _NEED, strict=True) if bits & need == need and rule.kind in kinds)


def _digits(text: str) -> int:
    """How many digits follow each other at most, with nothing but separators between them; 0 where no number has six of them close together."""
    if _SIX_DIGITS.search(text) is None:
        return 0
    return max(sum(map(str.isdecimal, one)) for one in _CLUSTER.findall(text))


def _in_part(text: str, at: int, rules: Sequence[_Rule]) -> Iterator[Span]:
    lower = text.lower()
    most = -1
    for rule in rules:
        if rule.long:
            if most < 0:
                most = _digits(text)
            if most < rule.digits or not most:
                continue
        elif rule.kind not in _WITHOUT_DIGITS and _DIGIT.search(text) is None:
            continue
        if rule.needs and not any(map(lower.__contains__, rule.needs)):
            continue
        if rule.pattern is _IBAN:
            yield from _ibans(text, at)
        elif rule.pattern is _HOUSE:
            yield from _streets(text, at)
        else:
            for match in rule.pattern.finditer(text):
                start, end = match.span(rule.group)
                if not _in_word(text, match.start()) and (rule.fits is None or rule.fits(text[start:end])):
                    yield Span(kind=rule.kind, start=at + start, end=at + end)


def _in_word(text: str, start: int) -> bool:
    """Whether what is found begins inside of a longer word or number."""
    if start == 0:
        return False
    before = text[start - 1]
    return (
        before.isalnum()
        or before == "_"
        or (before in ".,-" and start > 1 and text[start].isdecimal() and text[start - 2].isdecimal())
    )


def _ibans(text: str, shift: int) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        length = 0 if _in_word(text, match.start()) else checks.iban(match[0].replace(" ", ""))
        at = match.start()
        while length:
            length -= text[at] != " "
            at += 1
        if at > match.start():
            yield Span(kind="iban", start=shift + match.start(), end=shift + at)


def _streets(text: str, at: int) -> Iterator[Span]:
    """A house number after a word that ends like a street's name."""
    for match in _HOUSE.finditer(text):
        space = match.start() - 1
        if space > 0 and text[space] == " " and text[max(space - 8, 0) : space].endswith(_ENDINGS):
            before = _STREET.search(text, max(0, space - 60), space)
            if before is not None and not _in_word(text, before.start()):
                yield Span(kind="address", start=at + before.start(), end=at + match.end())


def _apart(found: list[Span]) -> list[Span]:
    """Where two overlap, the one of the earlier kind, and of one kind the longer."""
    found.sort(key=lambda span: (span.start, span.end))
    groups: list[list[Span]] = []
    end = -1
    for span in found:
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    return [span for group in groups for span in (group if len(group) == 1 else _chosen(group))]


def _chosen(group: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(group, key=lambda span: (_ORDER[span.kind], span.start - span.end, span.start)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


_ORDER: Final = {kind: number for number, kind in enumerate(KINDS)}
