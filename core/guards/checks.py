"""Check digits: whether a number is one that its issuer could have given out. Each takes the number without spaces and separators.

Sources: Luhn (ISO/IEC 7812-1, annex B), IBAN (ISO 13616-1 with ISO 7064 mod 97-10), Steuer-ID (ISO 7064 mod 11-10), PESEL, BSN, NIR, DNI and
NIE, NIF, NHS number as their issuers publish them. A chance number passes Luhn in one of ten cases, mod 97 in one of ninety-seven.
"""

import re
from typing import Final

SHORTEST_CARD, LONGEST_CARD = 12, 19
IBANS: Final = {
    entry[:2]: int(entry[2:])
    for entry in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 "
        "GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 "
        "PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}
"""Characters of an IBAN by country."""
CARDS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[0689]\d{12,14}|35\d{14}|(?:1800|2131|18|21)\d{11,13}|(?:50|5[6-8]|6\d)\d{10,17}"
)
"""The first digits of the networks that are in use, each with its lengths."""
_DNI: Final = "TRWAGMYFPDXBNJZSQVHLCKE"


def luhn(digits: str) -> bool:
    """Whether the last digit fits the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(digits: str) -> bool:
    """A payment card's number: its length, its network and its last digit."""
    fits = SHORTEST_CARD <= len(digits) <= LONGEST_CARD and CARDS.fullmatch(digits) is not None
    return fits and luhn(digits) and len(set(digits)) > 1


def iban(text: str) -> int:
    """How many characters of a text that begins with two letters and two digits are an IBAN; 0 where none is."""
    plain = text.upper()
    end = IBANS.get(plain[:2], 0)
    return end if end and len(plain) >= end and mod_97(plain[:end]) else 0


def mod_97(plain: str) -> bool:
    """Whether letters and digits (upper case) are in the form of an IBAN with the right check digits, whatever its country and length."""
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def social_security(digits: str) -> bool:
    """United States: no area 000, 666 or 900 and above, no group 00, no serial 0000. It has no check digit."""
    return len(digits) == 9 and digits[:3] not in ("000", "666") and digits[3:5] != "00" and digits[5:] != "0000"


def tax_id_german(digits: str) -> bool:
    """Steuer-ID: 11 digits, the first not 0, one or two digits repeated."""
    if len(digits) != 11 or digits[0] == "0" or len(set(digits[:10])) not in (8, 9):
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def pesel(digits: str) -> bool:
    """Poland: 11 digits with a month in their third and fourth."""
    if len(digits) != 11 or not 1 <= int(digits[2:4]) % 20 <= 12 or not 1 <= int(digits[4:6]) <= 31:
        return False
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 10 == 0


def bsn(digits: str) -> bool:
    """Netherlands: 9 digits, the eleven-proof."""
    if len(digits) != 9 or digits == "0" * 9:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0


def nir(digits: str) -> bool:
    """France: 13 digits and a key of two (Corsica's letters aside)."""
    return len(digits) == 15 and digits[0] in "12" and 97 - int(digits[:13]) % 97 == int(digits[13:])


def dni(text: str) -> bool:
    """Spain: eight digits, or X, Y, Z and seven, with their letter."""
    plain = text.upper()
    if len(plain) != 9:
        return False
    number = plain[:8].translate(str.maketrans("XYZ", "012"))
    return number.isdecimal() and _DNI[int(number) % 23] == plain[8]


def nif(digits: str) -> bool:
    """Portugal: 9 digits, mod 11."""
    if len(digits) != 9 or digits[0] == "0":
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(digits[:8], range(9, 1, -1), strict=True)) % 11
    return (0 if rest < 2 else 11 - rest) == int(digits[8])


def nhs(digits: str) -> bool:
    """England: 10 digits, mod 11."""
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    return rest != 10 and rest % 11 == int(digits[9])
