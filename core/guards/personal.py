"""Personal data in text, as rules: forms, check digits, and words that stand before them.

Rules: every rule is linear in the text (each run of characters has a bound); a number with a check digit counts only where it fits; what has
no form of its own (a name, an age, a driving licence) is found by the words around it alone, and is missed without them. Where two kinds are
found at one place, the one that stands first in `KINDS` is kept. How much each finds and how often it is wrong is measured by kind
(`tests/unit/guards/test_personal_measured.py`).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.guards import checks
from core.guards.records import Span

_SEPARATED: Final = re.compile(r"[ \u00a0.\-\u2010-\u2013/]")
_MONTHS: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|"
    "januar|februar|märz|mai|juni|juli|oktober|dezember"
)
_DATE: Final = (
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\.? (?:{_MONTHS})\.?,? \d{{4}}|(?:{_MONTHS})\.? \d{{1,2}},? \d{{4}}|\d{{4}})"
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
_BEFORE: Final = "Rue|Via|Viale|Piazza|Calle|Avenida|Avda|Av|Avenue|Boulevard|Rua|Ulica|Ul|ul|ulica|rue|via|rua|calle|Route|Chemin|Plaza|"
"Paseo|Carrera"
_BEFORE_NEEDS: Final = tuple(
    "rue|via|piazza|calle|avenida|avda|av |av. |avenue|boulevard|rua |rua.|ulica|ul |ul. |route|chemin|plaza|paseo|carrera".split(
        "|"
    )
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


_A_DATE: Final = re.compile(r"\d{4}([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{2,4}")
_I: Final = re.IGNORECASE
_C: Final = re.compile
_NUMBER: Final = r"[\d(+][\d ()./\u2010-\u2013-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?"
_NO_STREETS: Final = re.compile(
    rf"\b(?:{_MONTHS}|level|section|part|page|version|chapter|absatz|artikel|article|step|table|figure|type|class|group|day|week|fortune)\b",
    _I,
)
_NO_NAMES: Final = frozenset(
    "Sir Madam Customer Customers All Team Colleague Colleagues Friend Friends Reader User Members Member The".split()
)
RULES: Final = (
    _Rule("email", _C(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}(?!\w)"), needs=("@",)),
    _Rule("url", _C(r"(?:https?|ftp)://[^\s<>\"'()\[\]{}|]{2,2000}[\w/]", _I), needs=("://",)),
    _Rule("url", _C(r"www\.(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?:/[^\s<>\"']{0,500})?", _I), needs=("www.",)),
    _Rule("card", _C(r"\d(?:[ -]?\d){11,18}(?!\w)"), fits=_plain(checks.card), long=True),
    _Rule("national-id", _C(r"\d{3}([- ])\d{2}\1\d{4}(?![\w-])"), fits=_plain(checks.social_security), long=True),
    _Rule(
        "national-id",
        _C(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?<!BG|GB|NK|KN|TN|NT|ZZ) ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"),
        long=True,
    ),
    _Rule("national-id", _C(r"[\dXYZ]\d{7}-?[A-Z](?!\w)"), fits=_plain(checks.dni), long=True),
    _Rule("national-id", _C(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)")),
    _Rule("national-id", _C(r"[12] ?\d{2} ?[01]\d ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\w)"), fits=_plain(checks.nir), long=True),
    _Rule(
        "national-id",
        _C(r"(?:steuer-?(?:id|identifikationsnummer|nummer)|idnr|tin)\W{1,4}(?P<id>\d(?: ?\d){10})(?!\w)", _I),
        "id",
        _plain(checks.tax_id_german),
        ("steuer", "idnr", "tin"),
        long=True,
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
    _Rule("ip", _C(r"\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"), fits=_ip),
    _Rule("ip", _C(r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", _I), needs=(":",), long=True),
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
    _Rule("age", _C(r"\d{1,3}[ -]years?[ -]old\b", _I), needs=("old",)),
    _Rule("age", _C(r"age[ds]?(?: of)?[: ] ?(?P<age>\d{1,3})(?![\w.%,])", _I), "age", needs=("age",)),
    _Rule("age", _C(r"(?:just turned|i['’]ll turn|i['’]m) (?P<age>\d{1,3})(?![\w%])", _I), "age", needs=(" turn", "'m ", "’m ")),
    _Rule(
        "address",
        _C(rf"\d{{1,6}}[a-z]?,? (?:\d{{1,5}}[a-z]? )?(?:{_CAPITAL}{_WORD} |\d{{1,4}}(?:st|nd|rd|th) |[Dd]e |[Ll]a ){{1,4}}?(?:{_AFTER})\b{_DOOR}"),
    ),
    _Rule("address", _C(rf"(?:{_BEFORE})\b\.? (?:{_WORD} ){{1,4}}?\d{{1,5}}[a-z]?(?!\w)"), needs=_BEFORE_NEEDS),
    _Rule("address", _C(rf"\d{{1,6}} (?:\d{{1,5}},? )?(?:{_BEFORE})\b\.? {_WORD}(?: {_CAPITAL}{_WORD}){{0,3}}"), needs=_BEFORE_NEEDS),
    _Rule(
        "address",
        _C(rf"\d{{3,6}} (?:\d{{1,5}} )?{_CAPITAL}{_WORD} (?:{_CAPITAL}{_WORD} )?\d{{1,4}}[a-z]?{_DOOR}(?![\w.])"),
        fits=lambda text: re.match(r"(?:19|20)\d\d ", text) is None and not _NO_STREETS.search(text),
    ),
    _Rule(
        "address",
        _C(r"(?:[Pp]\.? ?[Oo]\.? [Bb]ox|PSC|Postfach|Apartado|[Aa]pt\.?|[Ss]uite|[Uu]nit \d{1,5},? [Bb]ox|Box) #?\d{1,6}(?:,? [Bb]ox "
        r"\d{1,6})?(?!\w)"),
        needs=("box", "psc ", "postfach", "apartado", "apt", "suite"),
    ),
    _Rule("address", _C(rf"(?:corner of|billing address|address:?|lives? (?:at|on)|lives? in) (?P<place>(?:the corner of )?(?:\d{{1,6}} "
    rf")?{_CAPITAL}{_WORD}(?: [\w'’.-]{{1,24}}){{0,3}} \d{{1,5}})(?!\w)"), "place", needs=("address", "corner of", "live")),
    _Rule(
        "postcode",
        _C(r"(?:zip(?: ?code)?|post(?:al)? ?code|plz|code postal)(?: is)?[ :]{1,3}(?P<code>[A-Z0-9]{2,5}(?:[ -][A-Z0-9]{2,4})?)(?!\w)", _I),
        "code",
        lambda text: any(character.isdecimal() for character in text),
        ("zip", "post", "plz"),
    ),
    _Rule("postcode", _C(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?!\w)")),
    _Rule("phone", _C(r"\+[1-9][\d ()./\u2010-\u2013-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\w)"), fits=_phone, long=True),
    _Rule("phone", _C(r"00[1-9][\d ()./\u2010-\u2013-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\w)"), fits=_phone, long=True),
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
        long=True,
    ),
    _Rule("phone", _C(rf"(?P<number>{_NUMBER})[ -]{{1,2}}(?:office|fax|mobile|home|work|desk|cell)\b", _I), "number", _phone, long=True),
    _Rule("phone", _C(r"[\d(]\d{2,3}\)?[ .-]?\d{3}[.-]\d{4}(?:x\d{1,6})?(?![\w-])"), long=True),
    _Rule("phone", _C(r"0\d{1,4}[ /-]\d{2,4}(?:[ -]\d{2,4}){1,4}(?![\w-])"), fits=_phone, long=True),
    _Rule(
        "person",
        _C(rf"(?:Mrs?|Ms|Miss|Dr|Prof|Sir|Herr|Frau|Mme|Monsieur|Madame|Señora?|Signora?)\b\.? (?P<name>{_NAME})"),
        "name",
        lambda text: text not in ("Plus", "Office", "Windows", "Word", "Excel"),
    ),
    _Rule(
        "person",
        _C(rf"(?:[Mm]y|[Hh]is|[Hh]er|[Yy]our|[Ff]ull|[Ff]irst|[Ll]ast|[Mm]aiden|[Pp]atient) [Nn]ame(?: is|:)\s{{1,3}}(?P<name>{_NAME})"),
        "name",
        needs=("name",),
    ),
    _Rule(
        "person",
        _C(rf"(?:Name:|named (?:him|her)|Dear|[Ss]igned by|Patient:|User:|[Rr]egards,|Sincerely,|grand(?:father|mother) was "
        rf"called)\s{{1,3}}(?P<name>{_NAME})"),
        "name",
        lambda text: text.split()[0] not in _NO_NAMES,
        ("name", "dear", "signed by", "patient", "user:", "egards", "sincerely", "was called"),
    ),
)  # fmt: skip

_SIX_DIGITS: Final = re.compile(r"\d[ ()./\u2010-\u2013-]{0,2}\d(?:[ ()./\u2010-\u2013-]{0,2}\d){4}")
_HOUSE: Final = re.compile(r" \d{1,5}[a-z]?(?!\w)")
_STREET: Final = re.compile(rf"(?:\d{{1,6}} )?(?:{_CAPITAL}{_WORD} )?{_CAPITAL}{_WORD}$")
_WITHOUT_DIGITS: Final = ("email", "url", "person")
_DIGIT: Final = re.compile(r"\d")
_IBAN: Final = re.compile(r"[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?!\w)")

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


def spans(text: str, kinds: Collection[str] = tuple(KINDS)) -> list[Span]:
    """What rules find in a text, in order, apart from each other."""
    found: list[Span] = []
    at = 0
    for part in text.split("\n\n"):  # blocks: what a text needs for a rule is looked for in each
        found += _in_part(part, at, kinds)
        at += len(part) + 2
    return _apart(found)


def kinds_in(text: str) -> tuple[str, ...]:
    """The kinds of what rules find in a text, in the order of `KINDS`."""
    found = {span.kind for span in spans(text)}
    return tuple(kind for kind in KINDS if kind in found)


def _in_part(text: str, at: int, kinds: Collection[str]) -> Iterator[Span]:
    lower = text.lower()
    digits = _DIGIT.search(text) is not None
    long = digits and _SIX_DIGITS.search(text) is not None
    for rule in RULES:
        if (
            rule.kind not in kinds
            or not (digits or rule.kind in _WITHOUT_DIGITS)
            or (rule.long and not long)
            or (rule.needs and not any(map(lower.__contains__, rule.needs)))
        ):
            continue
        for match in rule.pattern.finditer(text):
            start, end = match.span(rule.group)
            if not _in_word(text, match.start()) and (rule.fits is None or rule.fits(text[start:end])):
                yield Span(kind=rule.kind, start=at + start, end=at + end)
    if "iban" in kinds and long:
        yield from _ibans(text, at)
    if "address" in kinds and digits:
        yield from _streets(text, at)


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
        if (
            text[: match.start()].endswith(_ENDINGS)
            if match.start() < 8
            else text[match.start() - 8 : match.start()].endswith(_ENDINGS)
        ):
            before = _STREET.search(text, max(0, match.start() - 60), match.start())
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
