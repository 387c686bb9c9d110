"""What rules find of personal data, each kind by forms that are and forms that look alike. The numbers are published examples or made up."""

import itertools
import time

import pytest

from core.guards import checks, personal


def found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in personal.spans(text)]


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("Write to ann.lee+lab@post.example.org today.", "email", "ann.lee+lab@post.example.org"),
        ("See https://example.org/a/b?c=1.", "url", "https://example.org/a/b?c=1"),
        ("Account GB82 WEST 1234 5698 7654 32 is closed", "iban", "GB82 WEST 1234 5698 7654 32"),
        ("DE89370400440532013000", "iban", "DE89370400440532013000"),
        ("Card 4111 1111 1111 1111, please", "card", "4111 1111 1111 1111"),
        ("SSN 219-09-9999.", "national-id", "219-09-9999"),
        ("NI number AB 12 34 56 C", "national-id", "AB 12 34 56 C"),
        ("DNI 12345678Z", "national-id", "12345678Z"),
        ("Steuer-ID: 86095742719", "national-id", "86095742719"),
        ("PESEL: 44051401359", "national-id", "44051401359"),
        ("BSN 111222333", "national-id", "111222333"),
        ("NIR 2 55 08 14 168 025 38", "national-id", "2 55 08 14 168 025 38"),
        ("NHS number 943 476 5919", "national-id", "943 476 5919"),
        ("My driver's license number is U62928788", "licence", "U62928788"),
        ("From 192.168.0.3 at night", "ip", "192.168.0.3"),
        ("Date of birth: 6/24/1991", "birth-date", "6/24/1991"),
        ("She was born on 5 October 1971.", "birth-date", "5 October 1971"),
        ("a 34 year old man", "age", "34 year old"),
        ("He lives at 12 Long Lane.", "address", "12 Long Lane"),
        ("Hauptstraße 5, Bonn", "address", "Hauptstraße 5"),
        ("My zip code is 53650", "postcode", "53650"),
        ("SW1A 1AA", "postcode", "SW1A 1AA"),
        ("Call me at 020 7946 0958.", "phone", "020 7946 0958"),
        ("+44 20 7946 0958", "phone", "+44 20 7946 0958"),
        ("Ask Dr. Mette Holm about it", "person", "Mette Holm"),
    ],
)
def test_each_kind_is_found_where_it_stands(text: str, kind: str, what: str) -> None:
    assert (kind, what) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Section 5.1.6.2 applies from version 1.2.3.4 on.",
        "Order 4111 1111 1111 1112 of 16 April 2014",
        "GB82 WEST 1234 5698 7654 33",
        "Number 666-12-3456",
        "Between 2020-01-31 and 2021-12-31, 14 percent",
        "In 2022 the Council adopted 16 articles; place no later than 2028.",
        "Articles 12, 13 and 14 of Regulation 2016/679",
    ],
)
def test_what_only_looks_alike_is_left(text: str) -> None:
    assert found(text) == []


def test_spans_are_in_order_apart_and_of_the_kinds_that_were_asked_for() -> None:
    text = "Ann Lee, ann@example.org, https://example.org/ann@example.org, +44 20 7946 0958\n\nann@example.org" * 3
    spans = personal.spans(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert {span.kind for span in personal.spans(text, ("phone",))} == {"phone"}
    assert set(personal.MARKS) == set(personal.KINDS) >= {span.kind for span in spans}


@pytest.mark.parametrize(
    ("good", "bad", "check"),
    [
        ("4111111111111111", "4111111111111112", checks.card),
        ("86095742719", "86095742718", checks.tax_id_german),
        ("44051401359", "44051401358", checks.pesel),
        ("111222333", "111222334", checks.bsn),
        ("255081416802538", "255081416802539", checks.nir),
        ("12345678Z", "12345678A", checks.dni),
        ("X1234567L", "X1234567A", checks.dni),
        ("123456789", "123456780", checks.nif),
        ("9434765919", "9434765918", checks.nhs),
    ],
)
def test_check_digits(good: str, bad: str, check: object) -> None:
    assert callable(check)
    assert check(good)
    assert not check(bad)


def test_hostile_text_takes_no_longer_than_its_length_asks_for() -> None:
    """No rule goes back over what it has read: with the square of the length, each of these would take hours."""
    started = time.process_time()
    for seed in ("1 ", "a.", "0-", "(1", "Ab ", "name: A", "12 Ab ", "1.1.", "x@", "www.a.", "00 1/", "a@a.", "Rue a "):
        personal.spans((seed * 50_000)[:50_000])
    assert time.process_time() - started < 120
