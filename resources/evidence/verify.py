#!/usr/bin/env python3
# fmt: off
# ruff: noqa: B905, C408, E401, I001, PTH123, UP017
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The Assay authors. Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0
"""Verify an Assay evidence pack: `python3 verify.py PACK --trust TRUST_FILE`. A second implementation, independent of Assay.

Python 3.9 or later and its standard library. Ed25519 (RFC 8032) is computed here; ML-DSA-65 (FIPS 204) needs the package `cryptography`
in a version that has it, and without it a pack is at best "incomplete". Prints one JSON document; exits 0 for valid, 1 for invalid or
incomplete, 2 for wrong usage. The copy inside a pack proves nothing: use one obtained beforehand, with a trust file obtained by another way.
"""

import argparse, base64, collections, datetime, decimal, gc, hashlib, itertools
import json, math, re, struct, sys, zlib

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
except ImportError:
    MLDSA65PublicKey = None

LARGEST, LARGEST_REST, LARGEST_FILE, MOST, DEEPEST, VALUES, MOST_SIGNATURES = 1 << 30, 1 << 28, 96 << 20, 10_000, 64, 12_000_000, 500
KINDS = ("run", "run-result", "spec", "dataset", "prompt-version", "outcome", "model", "document", "signature")
# Kinds of which most packs hold nothing, and what they are kept as.
EXTRA = {**{kind: kind for kind in "model-card training-run training-result adapter-comparison".split()}, "training-data": "dataset"}
SINGLE, LOGGED = KINDS[:4], ("spec", "dataset", "prompt-version", "signature", "run", "outcome", "run-result", *EXTRA, "mark", "merged-model")
ANY, MARK, COMMITMENT = "*", "$committed", b"assay pack commitment v1\x00"
_FIELDS = "input target answer document quote choices targets passages metadata turns chosen rejected group origin"
SAMPLES = [("samples", ANY, field) for field in _FIELDS.split()]
WITHHOLDABLE = {
    "dataset": SAMPLES, "training-data": SAMPLES,
    "prompt-version": [("messages", ANY, "content"), ("notes",)],
    "outcome": [("answer", field) for field in "question answer rendered tokens prompt_tokens sentences unsupported best_score".split()]
    + [("answer", "citations", ANY), ("answer", "passages", ANY), ("error",), ("scores", ANY, "reason")],
    "document": [("name",), ("title",), ("collection",)], "model": [("path",)],
    "training-run": [("folder",), ("spec", "folder"), ("spec", "evaluation", "file"), ("spec", "evaluation", "system"), ("left_out", ANY),
                     ("sources", ANY, "reference"), ("spec", "data", ANY, "file"), ("spec", "data", ANY, "system")],
}
FIXED = {*(f"records/{kind}.json" for kind in KINDS), *"cards.json log/checkpoint.txt log/entries.json mlbom.cdx.json verify.py VERIFY.md".split()}
OPENINGS = {f"openings/{kind}.json" for kind in (*WITHHOLDABLE, "renderings") if kind not in EXTRA}
# What a scorer looks at among the fields that can be withheld; one that isn't here may look at all of them.
ANSWERED = {"answer.answer", "samples.target", "samples.targets"}
RESTS = {"exact": {*ANSWERED, "samples.answer"}, "contains": ANSWERED, "latency": set(),
         "citation_correct": {"answer.citations", "samples.document"}, "groundedness": {"answer.sentences", "answer.unsupported"}, "refusal": set()}
CLOSE, Z, NUMBER, MAYBE = 1.5e-6, 1.959963984540054, (int, float), (int, float, type(None))
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
dumps = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)

class Invalid(Exception):
    """The pack is not what it should be; the message says in what."""

def require(holds, problem):
    if not holds:
        raise Invalid(problem)

def zip_parts(entries):
    """The one byte form, in pieces: stored, sorted, dated 1980-01-01, no extra fields, no comments."""
    parts, directory, place = [], [], 0
    require(all(len(name) <= 200 and NAME.fullmatch(name) for name in entries), "an entry has no allowed name")
    for label, content in sorted((name.encode("ascii"), content) for name, content in entries.items()):
        common = (20, 0, 0, 0, 0x21, zlib.crc32(content), len(content), len(content), len(label), 0)
        directory.append(struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 3 << 8 | 20, *common, 0, 0, 0, 0o100644 << 16, place) + label)
        parts += [struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *common), label, content]
        place += 30 + len(label) + len(content)
    whole = b"".join(directory)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(directory), len(directory), len(whole), place, 0)
    return [*parts, whole, end]
def zip_read(data):
    require(22 <= len(data) <= LARGEST and data[-22:-18] == b"PK\x05\x06", "the file is cut short, too large, or no pack at all")
    count, place = struct.unpack_from("<HII", data, len(data) - 12)[0], struct.unpack_from("<I", data, len(data) - 6)[0]
    entries, total = {}, 0
    for _ in range(min(count, MOST)):
        fields = struct.unpack_from("<4sHHHHHHIIIHHHHHII", data, place)
        size, length, local = fields[9], fields[10], fields[16]
        name, total = data[place + 46 : place + 46 + length].decode("ascii"), total + size
        require(name not in entries and total <= len(data), f"entry {name[:80]!r} is there twice or too large")
        entries[name], place = data[local + 30 + length : local + 30 + length + size], place + 46 + length
        require(len(entries[name]) == size, f"entry {name[:80]!r} reaches beyond the end")
    parts = zip_parts(entries)
    same = all(data.startswith(part, place) for part, place in zip(parts, itertools.accumulate(map(len, parts), initial=0)))
    require(same and sum(map(len, parts)) == len(data), "the archive is not in the one byte form: altered, or written by other means")
    return entries

def canonical(value):
    written = dumps(value).encode("utf-8")
    return written if plain(written) else jcs(value).encode("utf-8")
def between(data):
    """What stands outside of the strings of valid JSON."""
    return b",%s," % b"".join(data.replace(rb"\\", b"").replace(rb'\"', b"").split(b'"')[::2])
def plain(data, outside=None):
    """Whether Python's own writer, which is many times as fast, does for this JSON as RFC 8785 wants: no number has an exponent, an idle
    ".0", 16 digits before the point, is below 10^-4 or not finite; and no text is beyond U+FFFF, where names are ordered otherwise."""
    outside = between(data) if outside is None else outside
    digits = outside.translate(bytes.maketrans(b"123456789", b"000000000"))
    odd = outside.count(b"e") + outside.count(b"E") != outside.count(b"true") + outside.count(b"false")
    odd = odd or any(sign in outside for sign in (b".0,", b".0]", b".0}", b"0.0000", b"N", b"I"))
    return not odd and not any(start + b"0" * 16 in digits for start in (b",", b"[", b":", b"-")) and not re.search(b"[\xf0-\xf4]", data)
def jcs(value):
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        require(isinstance(value, float) or abs(value) < 2**53, "an integer is too large")
        return es_number(value) if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
    return "{" + ",".join(json.dumps(key, ensure_ascii=False) + ":" + jcs(inner) for key, inner in ordered) + "}"
def es_number(value):
    """A double as ECMAScript writes it: the shortest digits, placed by ECMA-262, Number::toString."""
    require(math.isfinite(value), "a number is not finite")
    _, figures, exponent = decimal.Decimal(repr(abs(value))).normalize().as_tuple()
    digits, k, point = "".join(map(str, figures)), len(figures), len(figures) + exponent
    if 0 < point <= 21:
        text = digits + "0" * (point - k) if k <= point else digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if k > 1 else "") + f"e{point - 1:+d}"
    return ("-" if value < 0 else "") + text if value else "0"
def number(text): return int(text) if len(text) < 18 and abs(int(text)) < 2**53 else float(text)

def parse(data, source, shape=dict):
    """The list or object whose one canonical form is `data`."""
    return parse_items(data, source, shape)[0]
def parse_items(data, source, shape=list):
    """The same; the canonical form of each item, if it is a list; and whether Python's own writer does for it."""
    require(len(data) <= VALUES or sum(map(data.count, (b",", b"[", b"{"))) <= VALUES, f"{source} holds too much to be read")
    try:
        simple = plain(data, outside := between(data))
        value = json.loads(data.decode("utf-8"), parse_int=None if simple else number)
        nested = outside.translate(bytes.maketrans(b"{}", b"[]"), NO_BRACKETS)
        for _ in range(DEEPEST):  # Takes away the innermost level.
            nested = nested.replace(b"[]", b"")
        write, whole = dumps if simple else jcs, isinstance(value, list)
        items = [write(item) for item in (value if whole else [value])]
        same = not nested and ("[" + ",".join(items) + "]" if whole else items[0]).encode("utf-8") == data
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{source} is not readable as canonical JSON") from error
    require(same and isinstance(value, shape), f"{source} is nested too deep, not in canonical form, or not of the form expected")
    return value, items, simple
def sha(data): return hashlib.sha256(data).hexdigest()
def is_digest(text): return isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) is not None
def unb64(text, size=None):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text and size in (None, len(data)), "base64 in a form of its own, or of another length")
    return data
def instant(text):
    require(isinstance(text, str) and TIME.fullmatch(text), "a time is not RFC 3339 with its offset")
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
def has(value, /, **types):
    """Whether an object has fields of these types, perhaps among others (a tuple is a choice; True is no number)."""
    return isinstance(value, dict) and set(types) <= set(value) and all(
        isinstance(value[name], kind) and (kind is bool or not isinstance(value[name], bool)) for name, kind in types.items()
    )
def every(items, /, **types): return all(has(item, **types) for item in items)
def typed(value, /, **types):
    """Whether an object has exactly these fields, of these types."""
    return has(value, **types) and len(value) == len(types)

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)

def ed_add(a, b):
    """Addition of points in extended coordinates (RFC 8032, 5.1.4)."""
    p, q = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    r, s = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return e * f % P, g * h % P, f * g % P, e * h % P
def ed_times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        result, point, scalar = ed_add(result, point) if scalar & 1 else result, ed_add(point, point), scalar >> 1
    return result
def ed_decode(data):
    """A point from its 32 bytes, or None (RFC 8032, 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    valid = (x * x - square) % P == 0 and (x or not sign)
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P) if valid else None
def ed_encode(point):
    x, y = (point[place] * pow(point[2], P - 2, P) % P for place in (0, 1))
    return (y | (x & 1) << 255).to_bytes(32, "little")

BASE = ed_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
def ed25519_verify(public, message, signature):
    """RFC 8032, 5.1.7, without cofactor."""
    point, s = ed_decode(public), int.from_bytes(signature[32:], "little")
    if point is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return ed_encode(ed_add(ed_times(s, BASE), ed_times(k, (P - point[0], point[1], point[2], P - point[3])))) == signature[:32]
def mldsa65_verify(public, message, signature):
    """True or False; None where the package is missing."""
    try:
        return MLDSA65PublicKey and MLDSA65PublicKey.from_public_bytes(public).verify(signature, message) is None
    except (InvalidSignature, ValueError):
        return False
def pae(kind, payload): return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
def verify_both(keys, message, ed, mldsa, source):
    """Returns whether ML-DSA could be checked; raises when either signature is wrong."""
    require(ed25519_verify(unb64(keys["ed25519"], 32), message, unb64(ed, 64)), f"{source}: the Ed25519 signature doesn't verify")
    lattice = mldsa65_verify(unb64(keys["mldsa65"], 1952), message, unb64(mldsa, 3309))
    require(lattice is not False, f"{source}: the ML-DSA-65 signature doesn't verify")
    return lattice is True

def open_card(signed):
    """(fingerprint, card, whether ML-DSA could be checked) of a card whose own signatures verify."""
    card = parse(content := unb64(signed["card"]), "card")
    good = typed(card, version=int, type=str, user=str, name=str, roles=list, keys=dict, valid_from=str, valid_until=str, issuer=str)
    good = good and card["type"] == "card" and typed(card["keys"], version=int, ed25519=str, mldsa65=str)
    require(good and all(isinstance(r, str) for r in card["roles"]) and bool(card["issuer"]) == (signed["counter"] is not None), "malformed card")
    message, own = pae(b"application/vnd.assay.card+json", content), signed["own"]
    checked = verify_both(card["keys"], message, own["ed25519"], own["mldsa65"], "card of {}".format(card["user"]))
    return sha(content), card, checked
def read_statement(payload):
    statement = parse(payload, "statement")
    require(typed(statement, _type=str, subject=list, predicateType=str, predicate=dict), "a statement is malformed")
    signing, own = statement["predicate"], ("https://in-toto.io/Statement/v1", "urn:assay:signing:v1")
    good = all(typed(s, name=str, digest=dict) and typed(s["digest"], sha256=str) and is_digest(s["digest"]["sha256"]) for s in statement["subject"])
    require((statement["_type"], statement["predicateType"]) == own and good, "a statement is of another type")
    more = {"nonce": str} if isinstance(signing, dict) and signing.get("nonce") else {}
    good = typed(signing, version=int, card=str, name=str, time=str, meaning=str, reason=str, log=dict, clock=str, **more)
    good = good and typed(signing["log"], version=int, origin=str, size=int, root=str) and signing["log"]["size"] >= 0
    good = good and is_digest(signing["card"]) and is_digest(signing["log"]["root"]) and instant(signing["time"])
    require(good and signing["meaning"] in ("authored", "reviewed", "approved", "released") and statement["subject"], "a signing is malformed")
    return statement["subject"], signing

class Judge:
    """Verifies envelopes by the trust file's cards, or by the pack's own, which makes their signers unknown."""

    def __init__(self, trust, cards, at, proven):
        self.trusted = {f: card for f, card, _ in map(open_card, trust["cards"])}
        self.cards, self.own, self.at, self.open, (self.origin, self.places) = cards, {}, at, [], proven
        self.revoked = {r["card"]: r for r in sorted(trust.get("revoked", []), key=lambda r: -r["size"])}

    def card(self, fingerprint):
        if fingerprint in self.trusted:
            return self.trusted[fingerprint]
        self.own = self.own or {sha(unb64(signed["card"])): signed for signed in reversed(self.cards)}
        require(fingerprint in self.own, "a signer's card is neither in the trust file nor in the pack")
        return open_card(self.own[fingerprint])[1]

    def revocation(self, signing, logged):
        """What stays open because the card was revoked, as a list. A place in the log before the revocation outweighs every date."""
        ended, log, who = self.revoked.get(signing["card"]), signing["log"], signing["name"]
        place = self.places.get(logged) if ended and self.origin == ended["origin"] else None
        if ended is None or (place is not None and place < ended["size"]):
            return []
        late = place is not None or (log["origin"] == ended["origin"] and log["size"] > ended["size"])
        require(not late and instant(signing["time"]) <= instant(ended["time"]), f"{who} signed after the card was revoked")
        return [f"{who}'s card was revoked on {ended['time']}, and no checkpoint shows that this was signed before"]

    def envelope(self, data, logged=None):
        """(subjects, signing, report) of an envelope whose two signatures verify; `logged` is the record that the log tells of it by."""
        wire = parse(data, "envelope")
        good = typed(wire, payload=str, payloadType=str, signatures=list) and wire["payloadType"] == "application/vnd.in-toto+json"
        require(good and len(wire["signatures"]) == 2, "an envelope is malformed, or holds something else than a statement")
        payload, (first, second) = unb64(wire["payload"]), wire["signatures"]
        subjects, signing = read_statement(payload)
        good = typed(first, keyid=str, sig=str) and typed(second, keyid=str, sig=str)
        good = good and (first["keyid"], second["keyid"]) == (signing["card"] + "#ed25519", signing["card"] + "#ml-dsa-65")
        require(good, "an envelope is malformed, or names other keys than its statement's card")
        card, who = self.card(signing["card"]), signing["name"]
        checked = verify_both(card["keys"], pae(b"application/vnd.in-toto+json", payload), first["sig"], second["sig"], who)
        time = instant(signing["time"])
        valid = instant(card["valid_from"]) <= time <= instant(card["valid_until"])
        require(valid and card["name"] == who, f"{who} signed when the card wasn't valid, or the card has another name")
        unknown = signing["card"] not in self.trusted
        problems = [f"{who} (card {signing['card'][:8]}) isn't in the trust file"] if unknown else []
        problems += [f"{who} signed after the time of this check"] if time > self.at and not unknown else []
        problems += self.revocation(signing, logged)
        problems += [] if checked else ["ML-DSA-65 signatures weren't checked: the package cryptography is missing or too old"]
        self.open += problems
        said = {key: signing[key] for key in ("name", "meaning", "time", "reason", "card")}
        return subjects, signing, {**said, "subject": subjects[0]["name"], "status": "unknown" if problems else "valid"}
def read_checkpoint(note):
    """(origin, size, root, text, signature lines) of a C2SP signed note."""
    text, gap, rest = note.decode("utf-8").rpartition("\n\n")
    lines, body = rest.split("\n"), text.split("\n")
    require(gap and lines.pop() == "" and lines and len(body) == 3, "the checkpoint is malformed")
    good = len(note) <= 65536 and re.fullmatch(r"[^\s+\x00-\x1f\x7f]{1,200}", body[0]) and re.fullmatch(r"0|[1-9][0-9]{0,17}", body[1], re.ASCII)
    signatures = [(name, unb64(signed)) for name, _, signed in (line[2:].partition(" ") for line in lines)]
    good = good and all(line.startswith("\u2014 ") for line in lines) and all(name and len(signed) >= 5 for name, signed in signatures)
    require(good, "the checkpoint is malformed")
    return body[0], int(body[1]), unb64(body[2], 32), (text + "\n").encode(), signatures
def verify_note(origin, text, signatures, key):
    public = unb64(key, 32)
    own = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    mine = [signed for name, signed in signatures if name == origin and signed[:4] == own]
    require(len(mine) == 1 and len(mine[0]) == 68 and ed25519_verify(public, text, mine[0][4:]), "the checkpoint isn't signed by the log's key")

def verify_inclusion(index, size, leaf, proof, root):
    """RFC 9162, 2.1.3.2."""
    require(0 <= index < size and len(proof) < 64, "a log entry lies outside the log, or its proof is too long")
    place, last, result = index, size - 1, leaf
    for sibling in proof:
        require(last, "an inclusion proof is too long")
        left = place & 1 or place == last
        result = hashlib.sha256(b"\x01" + (sibling + result if left else result + sibling)).digest()
        while left and not place & 1 and place:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    require(last == 0 and result == root, "an inclusion proof doesn't lead to the checkpoint")
def marks(value, path=()):
    """Every commitment inside a value, with its path."""
    if isinstance(value, dict) and MARK in value:
        yield path, value[MARK] if len(value) == 1 else None
        return
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from marks(inner, (*path, step))

def read_openings(data, source):
    """([(path, value, commitment)], in order and of different places; whether Python's writer does). [path, value] is what is committed to."""
    before, openings, (values, items, simple) = "", [], parse_items(data, source)
    for (salt, path, value), text in zip(values, items):
        salt, opened = unb64(salt, 32), text[48:]
        good = isinstance(path, list) and path and {*map(type, path)} <= {int, str} and opened > before
        require(good, f"{source} are malformed, not in order, or open a field twice")
        openings.append((tuple(path), value, sha(COMMITMENT + salt + b"[" + opened.encode("utf-8"))))
        before = opened
    return openings, simple

def read_records(kind, entries):
    """([(digest, record)], paths of withheld fields) of one kind, openings put in, digests checked; of outcomes what is needed later."""
    rows, gone, secret = [], [], kind in WITHHOLDABLE
    for name in (names := sorted(name[8:] for name in entries if re.fullmatch(rf"records/{kind}(-\d{{4}})?\.json", name, re.ASCII))):
        (items, _, simple), waiting = parse_items(entries[f"records/{name}"], name), {}
        for index, item in enumerate(items):
            stored = item["stored"]
            good = typed(item, digest=str, stored=dict) and typed(stored, kind=str, nonce=dict if secret else str, record=dict)
            require(good and is_digest(item["digest"]) and stored["kind"] == EXTRA.get(kind, kind), f"a {kind} record is malformed")
            for path, found in marks(stored["record"]):
                allowed = ANY not in path and tuple([ANY if isinstance(step, int) else step for step in path]) in WITHHOLDABLE.get(kind, ())
                require(allowed, f"a {kind} record hides what may not be withheld")
                waiting[(index, *path)] = found
            if secret:  # The nonce is hidden at the path of the record itself.
                waiting[(index,)] = stored["nonce"][MARK] if len(stored["nonce"]) == 1 else None
        require(all(map(is_digest, waiting.values())), f"a commitment to a {kind} record is malformed")
        openings, too = read_openings(entries[f"openings/{name}"], f"openings of {name}") if secret else ([], True)
        for path, value, found in openings:
            require(waiting.pop(path, None) == found, f"an opening of {kind} doesn't fit what was signed")
            holder, steps = items[path[0]]["stored"], ["record", *path[1:]] if path[1:] else ["nonce"]
            for step in steps[:-1]:
                holder = holder[step]
            holder[steps[-1]] = value
        hidden = [path for path in waiting if len(path) > 1]
        partly = {path[0] for path in hidden}
        same = partly == {path[0] for path in waiting if len(path) == 1}
        require(same, f"a {kind} record withholds a field and not its nonce, by which it could be guessed, or the nonce alone")
        write = (lambda value: dumps(value).encode("utf-8")) if simple and too else canonical
        same = all(index in partly or sha(write(item["stored"])) == item["digest"] for index, item in enumerate(items))
        require(same, f"a {kind} record differs from its digest")
        gone += [(len(rows) + path[0], *path[1:]) for path in hidden]
        rows += [(item["digest"], needed(item["stored"]["record"]) if kind == "outcome" else item["stored"]["record"]) for item in items]
    good = len({digest for digest, _ in rows}) == len(rows) and (rows or kind not in EXTRA or not names)
    require(good, f"a {kind} record is there twice, or there is a file for none")
    return rows, gone
def needed(outcome):
    """Without the texts, which would fill the memory."""
    kept = {key: outcome[key] for key in ("run", "sample", "variant", "author") if key in outcome} | {"repetition": outcome.get("repetition", 0)}
    scores = [{key: score[key] for key in ("scorer", "value", "passed")} for score in outcome["scores"]]
    return {**kept, "scores": scores, "answer": {} if has(outcome["answer"]) else outcome["answer"]}
def check_renderings(entries, manifest, withheld):
    """All are there as signed; or, once a field is withheld, none, and the pack says of what it is a redaction."""
    renderings, (openings, _) = manifest["renderings"], read_openings(entries["openings/renderings.json"], "openings of reports")
    require(all((name in entries) == (withheld == 0) for name in renderings), "a report is missing, or shows what the pack withholds")
    shown = [] if withheld else sorted(renderings, key=lambda name: canonical([name]))
    expected = [[name, {"version": 1, "sha256": sha(entries[name]), "size": len(entries[name])}] for name in shown]
    told = [[*path, value] for path, value, _ in openings]
    good = canonical(told) == canonical(expected) and all(renderings[path[0]] == found for path, _, found in openings)
    require(good and all(map(is_digest, renderings.values())), "a report differs from what was signed")
    of = canonical({"type": "redaction", "version": 1, "of": sha(entries["manifest.json"]), "withheld": withheld}) if withheld else None
    require(entries.get("redaction.json") == of, "the pack doesn't say rightly what it is a redaction of")
def report_withheld(rows, hidden):
    """How many of each field are withheld, and how many scores of each metric can't be worked out again for it."""
    named = {kind: [(path, ".".join(s for s in path if isinstance(s, str))) for path in paths] for kind, paths in hidden.items()}
    gone, scores, lost = collections.defaultdict(set), collections.Counter(), collections.Counter()
    for path, name in named["dataset"] + named["outcome"]:
        gone[rows["dataset"][0][1]["samples"][path[2]]["id"] if path[1] == "samples" else path[0]].add(name)
    for place, (_, outcome) in enumerate(rows["outcome"]):
        missing, scorers = gone[outcome["sample"]] | gone[place], [score["scorer"] for score in outcome["scores"]]
        scores.update((outcome["variant"], scorer) for scorer in scorers)
        lost.update((outcome["variant"], scorer) for scorer in scorers if missing & RESTS.get(scorer, missing))
    fields = collections.Counter(f"{kind} {name}" for kind, paths in named.items() for _, name in paths)
    metrics = [{"variant": v, "metric": m, "samples": n, "of": scores[v, m]} for (v, m), n in sorted(lost.items())]
    return {"fields": [{"field": name, "count": n} for name, n in sorted(fields.items())], "lost": metrics}
def wilson(successes, n):
    if n == 0:
        return 0.0, 1.0
    share, whole = successes / n, 1 + Z * Z / n
    centre, half = (share + Z * Z / (2 * n)) / whole, Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / whole
    return (0.0 if successes == 0 else max(0.0, centre - half)), (1.0 if successes == n else min(1.0, centre + half))
def close(*pairs): return all(abs(recorded - found) <= CLOSE for recorded, found in pairs)
def values(outcomes, variant, scorer):
    found = collections.defaultdict(list)
    for outcome, score in ((o, s) for o in outcomes if o["variant"] == variant for s in o["scores"] if s["scorer"] == scorer):
        found[outcome["sample"]].append(score["value"])
    return {sample: math.fsum(several) / len(several) for sample, several in found.items()}
def check_shapes(run, result, spec, dataset, outcomes):
    """The fields that the figures rest on are there, and of the right types; what else the records hold doesn't matter."""
    good = has(run, spec=str, dataset=str, variants=list, criteria=list, scorers=list, samples=int, repetitions=int)
    good = good and has(result, run=str, status=str, variants=list, differences=list, criteria=list, passed=bool) and has(spec, spec=dict)
    good = good and has(spec["spec"], criteria=list, scorers=list) and has(dataset, samples=list) and every(dataset["samples"], id=str)
    good = good and every(run["variants"], name=str, prompt=str, prompt_digest=str) and every(run["criteria"])
    good = good and all(isinstance(scorer, str) for scorer in run["scorers"])
    good = good and every(outcomes, run=str, sample=str, variant=str, scores=list, answer=(dict, type(None)), repetition=int)
    good = good and every((score for o in outcomes for score in o["scores"]), scorer=str, value=NUMBER, passed=bool)
    good = good and every(result["variants"], name=str, metrics=list, passed=int, failed=int, errors=int)
    metric = dict(scorer=str, value=NUMBER, low=NUMBER, high=NUMBER, n=int, method=str)
    good = good and every((m for v in result["variants"] for m in v["metrics"]), **metric)
    good = good and every(result["differences"], scorer=str, baseline=str, variant=str, value=NUMBER, n=int)
    good = good and every(result["criteria"], criterion=dict, measured=MAYBE, met=bool)
    criterion = dict(metric=str, variant=str, on=str, at_least=MAYBE, at_most=MAYBE)
    good = good and every((judged["criterion"] for judged in result["criteria"]), **criterion)
    require(good, "a score or a figure is malformed")
def check_variant(variant, outcomes, scorers):
    own = [o for o in outcomes if o["variant"] == variant["name"]]
    answered = [o for o in own if o["answer"] is not None]
    passed = sum(all(s["passed"] for s in o["scores"]) for o in answered)
    counts = [passed, len(answered) - passed, len(own) - len(answered)]
    good = [variant["passed"], variant["failed"], variant["errors"]] == counts and [m["scorer"] for m in variant["metrics"]] == scorers
    require(good, f"{variant['name']} is miscounted, or metrics are missing")
    for metric in variant["metrics"]:
        name, found = f"{variant['name']}, {metric['scorer']}", list(values(own, variant["name"], metric["scorer"]).values())
        require(metric["n"] == len(found), f"{name}: counted over another number of samples")
        require(close((metric["value"], math.fsum(found) / len(found) if found else 0.0)), f"{name}: the mean doesn't follow")
        if metric["method"] == "wilson":
            ends = wilson(round(math.fsum(found)), len(found))
            require(close(*zip((metric["low"], metric["high"]), ends)), f"{name}: the interval doesn't follow")
        else:
            good = metric["method"] == "bootstrap" and metric["low"] - CLOSE <= metric["value"] <= metric["high"] + CLOSE
            require(good, f"{name}: an interval of an unknown kind, or one that misses the value")
def judge_criterion(criterion, variants):
    found = [m for v in variants if v["name"] == criterion["variant"] for m in v["metrics"] if m["scorer"] == criterion["metric"]]
    if not found or found[0]["n"] == 0:
        return None, False
    measured = found[0][{"value": "value", "low": "low", "high": "high"}[criterion["on"]]]
    low, high = criterion["at_least"], criterion["at_most"]
    whole = not any(v["errors"] for v in variants if v["name"] == criterion["variant"])
    return measured, whole and (low is None or measured >= low) and (high is None or measured <= high)
def check_figures(rows):
    """Every recorded figure follows from the outcomes. Returns how many outcomes there are."""
    (run_digest, run), (_, result), (spec_digest, spec), (dataset_digest, dataset) = (rows[kind][0] for kind in SINGLE)
    run = {"repetitions": 1, **run}
    outcomes = [record for _, record in rows["outcome"]]
    check_shapes(run, result, spec, dataset, outcomes)
    same = (run["spec"], run["dataset"], result["run"]) == (spec_digest, dataset_digest, run_digest)
    same = same and run["criteria"] == spec["spec"]["criteria"] and run["scorers"] == spec["spec"]["scorers"]
    require(same, "the run is of another spec or dataset, used other criteria, or the result is of another run")
    samples, ids = [sample["id"] for sample in dataset["samples"]], {sample["id"] for sample in dataset["samples"]}
    prompts, names = {digest for digest, _ in rows["prompt-version"]}, [v["name"] for v in run["variants"]]
    good = run["samples"] == len(samples) == len(ids) and all(v["prompt_digest"] in prompts for v in run["variants"] if v["prompt"])
    require(good, "the number of samples differs from the dataset's, or a prompt version is missing")
    good = all(o["run"] == run_digest and o["sample"] in ids and o["variant"] in names for o in outcomes)
    good = good and len({(o["sample"], o["variant"], o["repetition"]) for o in outcomes}) == len(outcomes)
    good = good and all(0 <= o["repetition"] < run["repetitions"] for o in outcomes)
    good = good and (result["status"] != "finished" or len(outcomes) == len(samples) * len(names) * run["repetitions"])
    require(good and [v["name"] for v in result["variants"]] == names, "outcomes are missing, there twice, or of another run, sample or variant")
    for outcome in outcomes:
        scorers = {score["scorer"] for score in outcome["scores"] if outcome["answer"] is not None}
        require(scorers <= set(run["scorers"]) and len(scorers) == len(outcome["scores"]), "an outcome has a score too many")
    for variant in result["variants"]:
        check_variant(variant, outcomes, run["scorers"])
    for difference in result["differences"]:
        before, after = (values(outcomes, difference[side], difference["scorer"]) for side in ("baseline", "variant"))
        both = before.keys() & after.keys()
        found = math.fsum(after[s] - before[s] for s in both) / max(1, len(both))
        require(difference["n"] == len(both) > 0 and close((difference["value"], found)), "a difference doesn't follow from the samples")
    same = [judged["criterion"] for judged in result["criteria"]] == run["criteria"]
    same = same and all((j["measured"], j["met"]) == judge_criterion(j["criterion"], result["variants"]) for j in result["criteria"])
    require(same, "the result judges other criteria than the run's, or an outcome of one doesn't follow from the figures")
    met = result["status"] == "finished" and all(judged["met"] for judged in result["criteria"])
    require(result["passed"] is met, "the run's verdict doesn't follow from its criteria")
    return len(outcomes)
def check_origins(rows):
    """The adapters that the run used are in the pack, each made for the model that it was used with; trainings and cards are of this run."""
    runs, results, cards, compared = (dict(rows[kind]) for kind in ("training-run", "training-result", "model-card", "adapter-comparison"))
    variants = [{"model_digest": "", "settings": None, **variant} for variant in rows["run"][0][1]["variants"]]
    ways = [{"adapters": [], **(variant["settings"] or {}), "with": variant["model_digest"]} for variant in variants]
    good = every(variants, name=str, model_digest=str, settings=(dict, type(None))) and every(ways, adapters=list)
    good = good and every(compared.values(), run=str)
    good = good and every(runs.values(), id=str, user=str, base_digest=str, sources=list) and every(cards.values(), model=str)
    good = good and every(results.values(), run=str, status=str, gguf=str) and every((s for r in runs.values() for s in r["sources"]), digest=str)
    uses = [(use, way["with"]) for way in ways for use in way["adapters"]] if good else []
    require(good and every((use for use, _ in uses), model=str), "a variant, a training or the card of a model is malformed")
    good = sorted(r["run"] for r in results.values()) == sorted(runs) and all(r["status"] == "finished" for r in results.values())
    require(good, "a training has no finished result, or several")
    bases = {r["gguf"]: runs[r["run"]]["base_digest"] for r in results.values()}
    files = {str(model.get("digest")): model.get("base_digest") for _, model in rows["model"]}
    for adapter, model in ((use["model"], model) for use, model in uses):
        good = adapter in {*bases, *files} and bases.get(adapter, model) == model and files.get(adapter) in (None, "", model)
        require(good, "an adapter isn't in the pack, or was made for another model than it was used with")
    names, against, about = ([r[key] for r in some.values()] for some, key in ((runs, "id"), (compared, "run"), (cards, "model")))
    good = len(bases) == len(results) and set(bases) <= {use["model"] for use, _ in uses} and set(against) <= set(names)
    sources = {source["digest"] for r in runs.values() for source in r["sources"]} - {rows["dataset"][0][0]}
    good = good and {digest for digest, _ in rows["training-data"]} <= sources and set(about) <= {*files, *bases}
    good = good and all(len(set(some)) == len(some) for some in (names, against, about))
    require(good, "a training, its data, what was compared or the card of a model is not of this run, or there twice")
def read_property(entries, name):
    """What the bill of materials has by this name: a text that is itself canonical JSON. None where it has nothing."""
    properties = parse(entries["mlbom.cdx.json"], "mlbom.cdx.json").get("properties", [])
    require(isinstance(properties, list) and every(properties, name=str, value=str), "mlbom.cdx.json has malformed properties")
    texts = [item["value"] for item in properties if item["name"] == name]
    require(len(texts) < 2, f"{name} is there twice")
    return parse(texts[0].encode("utf-8"), name) if texts else None
def read_merges(entries, rows):
    """Puts what is said of models that are a base with an adapter in its weights, and who signed it, to the other records. Returns the envelopes."""
    held = read_property(entries, "assay:merges")
    good = held is None or (typed(held, version=int, merges=list, signatures=list) and held["version"] == 1 and held["merges"])
    require(good, "what is said of merges is malformed")
    found = {"merged-model": [], "signature": []}
    for kind, items in zip(found, (held["merges"], held["signatures"]) if held else ((), ())):
        for item in items:
            good = typed(item, digest=str, stored=dict) and typed(item["stored"], kind=str, nonce=str, record=dict) and item["stored"]["kind"] == kind
            require(good and sha(canonical(item["stored"])) == item["digest"], "what is said of a merge is malformed, or differs from its digest")
            found[kind].append((item["digest"], item["stored"]["record"]))
    merges, results, runs = dict(found["merged-model"]), dict(rows["training-result"]), dict(rows["training-run"])
    text = dict.fromkeys("name digest quantization run result adapter base base_digest by made".split(), str)
    about, files = {merge["digest"] for merge in merges.values()}, {str(model.get("digest")) for _, model in rows["model"]}
    good = every(merges.values(), size=int, **text) and len(about) == len(found["merged-model"]) and about <= files
    for merge, result in ((merge, results.get(merge["result"])) for merge in merges.values()):
        made = result is None or (result["gguf"], runs[result["run"]]["base_digest"]) == (merge["adapter"], merge["base_digest"])
        good = good and made and merge["base_digest"] != merge["digest"]
    require(good, "a merge is of no model of the run, there twice, or of another base or adapter than its training's")
    rows["merged-model"], rows["signature"] = found["merged-model"], rows["signature"] + found["signature"]
    good = len(dict(rows["signature"])) == len(rows["signature"]) and all(record["subject"] in merges for _, record in found["signature"])
    require(good, "a signature beside a merge is on something else, or there twice")
    return {f"envelopes/{sha(data)}.json": data for data in (record["envelope"].encode("utf-8") for _, record in found["signature"])}
def read_marks(entries):
    """([(digest, mark)], figures on them) that people's marks in the bill of materials are; the reasons are put in where they are open."""
    held = read_property(entries, "assay:marks")
    if held is None:
        return [], []
    good = typed(held, version=int, marks=list, people=list) and held["version"] == 1 and held["marks"]
    good = good and all(typed(item, digest=str, stored=dict) and typed(item["stored"], kind=str, nonce=dict, record=dict) for item in held["marks"])
    require(good and every(held["people"]), "the marks are malformed")
    fields = dict(run=str, outcome=str, sample=str, variant=str, repetition=int, scorer=str, user=str, reason=dict)
    fields.update(score=int, lowest=int, highest=int)
    secrets = {}
    for place, (digest, stored) in enumerate((item["digest"], item["stored"]) for item in held["marks"]):
        require(is_digest(digest) and stored["kind"] == "mark" and has(stored["record"], **fields), "a mark is malformed")
        secrets.update({(place,): (stored, "nonce"), (place, "reason"): (stored["record"], "reason")})
    require(all(typed(holder[name], **{MARK: str}) for holder, name in secrets.values()), "a mark is malformed")
    require(len({item["digest"] for item in held["marks"]}) == len(held["marks"]), "a mark is there twice")
    if "marks/reasons.json" in entries:
        require(len(entries["marks/reasons.json"]) <= LARGEST_FILE, "the reasons of marks are too large to be read")
        openings = read_openings(entries["marks/reasons.json"], "reasons of marks")[0]
        require({path for path, _, _ in openings} == set(secrets), "the reasons of marks aren't opened one by one")
        for path, value, found in openings:
            holder, name = secrets[path]
            require(holder[name][MARK] == found, "an opening of a mark doesn't fit what was signed")
            holder[name] = value
        require(all(sha(canonical(item["stored"])) == item["digest"] for item in held["marks"]), "a mark differs from its digest")
    return [(item["digest"], item["stored"]["record"]) for item in held["marks"]], held["people"]
def kappa(marks, table, power):
    """Cohen's kappa, for the power 2 weighted by the squared distance; None where no disagreement is expected."""
    cells = [(i, j, abs(a - b) ** power * (a != b)) for i, a in enumerate(marks) for j, b in enumerate(marks)]
    first, second = list(map(sum, table)), list(map(sum, zip(*table)))
    seen, expected = (sum(w * times(i, j) for i, j, w in cells) for times in (lambda i, j: table[i][j], lambda i, j: first[i] * second[j]))
    return 1 - seen * sum(first) / expected if expected else None
def check_agreement(told, first, second, pairs):
    """The figures on two who judged follow from the pairs (sample, mark of the first, mark of the second)."""
    figure = dict(value=NUMBER, low=NUMBER, high=NUMBER)
    maybe = (dict, type(None))
    good = has(told, first=str, second=str, n=int, samples=int, share=dict, kappa=maybe, weighted=maybe, marks=list, table=list)
    require(good and every([told["share"], told["kappa"] or told["share"], told["weighted"] or told["share"]], **figure), "an agreement is malformed")
    marks = sorted({mark for _, *two in pairs for mark in two})
    counted = collections.Counter((a, b) for _, a, b in pairs)
    table = [[counted[a, b] for b in marks] for a in marks]
    same = [told["first"], told["second"], told["n"], told["samples"]] == [first, second, len(pairs), len({sample for sample, _, _ in pairs})]
    require(same and canonical([told["marks"], told["table"]]) == canonical([marks, table]), "a table of agreement doesn't follow from the marks")
    equal, share = sum(a == b for _, a, b in pairs), told["share"]
    ends = wilson(equal * told["samples"] / len(pairs) if pairs else 0, told["samples"])
    good = close((share["value"], equal / len(pairs) if pairs else 0.0), (share["low"], ends[0]), (share["high"], ends[1]))
    for said, found in ((told["kappa"], kappa(marks, table, 0)), (told["weighted"], kappa(marks, table, 2))):
        good = good and (said is None) == (found is None) and (said is None or close((said["value"], found)))
        good = good and (said is None or -1 - CLOSE <= said["low"] <= said["high"] <= 1 + CLOSE)
    require(good, "a figure of agreement doesn't follow from the marks")
def check_marks(rows, people):
    """Marks are on answers of the run by its scorers, and how far people and scorers agree follows from them. A judge's value becomes the
    nearest mark of its scale; any other scorer passes an answer, 1, or doesn't, 0."""
    (run, record), outcomes, marks = rows["run"][0], dict(rows["outcome"]), [mark for _, mark in rows["mark"]]
    for mark in marks:
        outcome = outcomes.get(mark["outcome"], {"answer": None})
        good = outcome["answer"] is not None and all(outcome[key] == mark[key] for key in ("sample", "variant", "repetition"))
        good = good and mark["run"] == run and mark["scorer"] in record["scorers"] and mark["lowest"] <= mark["score"] <= mark["highest"]
        require(good, "a mark is of no answer or scorer of the run, or off its scale")
    require(len({(m["outcome"], m["scorer"], m["user"]) for m in marks}) == len(marks), "a person marked an answer twice")
    good = every(people, scale=dict, marks=int, answers=int, with_people=list, between=list)
    good = good and every((p["scale"] for p in people), scorer=str, lowest=int, highest=int, judge=bool)
    names = [p["scale"]["scorer"] for p in people] if good else []
    good = good and len(set(names)) == len(names) and {m["scorer"] for m in marks} <= set(names) <= set(record["scorers"])
    require(good, "the figures on marks are malformed, or missing")
    for told, scale in ((p, p["scale"]) for p in people):
        low, high, own = scale["lowest"], scale["highest"], [mark for mark in marks if mark["scorer"] == scale["scorer"]]
        good = all((mark["lowest"], mark["highest"]) == (low, high) for mark in own) and (scale["judge"] or (low, high) == (0, 1))
        require(good and (told["marks"], told["answers"]) == (len(own), len({m["outcome"] for m in own})), "marks are miscounted, or of other scales")
        scores = [(digest, s) for digest, o in outcomes.items() for s in o["scores"] if s["scorer"] == scale["scorer"]]
        machine = {digest: low + math.floor(s["value"] * (high - low) + 0.5) if scale["judge"] else int(s["passed"]) for digest, s in scores}
        users = {user: {m["outcome"]: m["score"] for m in own if m["user"] == user} for user in sorted({m["user"] for m in own})}
        met = lambda first, second: [(outcomes[at]["sample"], first[at], mark) for at, mark in second.items() if at in first]  # noqa: E731
        pairs = [(scale["scorer"], user, met(machine, given)) for user, given in users.items()]
        pairs = [(scale["scorer"], "people", [pair for _, _, some in pairs for pair in some])] * (len(users) > 1) + pairs
        between = [(a, b, met(users[a], users[b])) for a, b in itertools.combinations(users, 2)]
        for some, found in ((told["with_people"], pairs), (told["between"], [each for each in between if each[2]])):
            require(len(some) == len(found), "figures of agreement are missing, or too many")
            for agreement, each in zip(some, found):
                check_agreement(agreement, *each)
def check_files(entries):
    good = {"manifest.json", "release.json"} <= set(entries) and len(entries["manifest.json"]) <= LARGEST_FILE
    require(good, "the pack has no manifest or no release, or too large a one")
    manifest = parse(entries["manifest.json"], "manifest.json")
    require(typed(manifest, version=int, format=str, title=str, assay=str, made=str, files=dict, renderings=dict), "the manifest is malformed")
    require(manifest["format"] == "assay-pack" and manifest["version"] == 1, "the pack is of another format or version")
    files, renderings = manifest["files"], set(manifest["renderings"])
    parts = [f"outcome-{place:04}.json" for place in range(1, 1 + max(1, sum(name.startswith("records/outcome-") for name in files)))]
    extra = [kind for kind in EXTRA if f"records/{kind}.json" in files]
    opens = {f"openings/{name}" for name in (*parts, *(f"{kind}.json" for kind in extra if kind in WITHHOLDABLE))}
    fixed = FIXED - {"records/outcome.json"} | {f"records/{part}" for part in parts} | {f"records/{kind}.json" for kind in extra}
    expected = set(files) | OPENINGS - {"openings/outcome.json"} | opens | {"manifest.json", "release.json"}
    good = set(files) >= fixed and "report.html" in renderings and not renderings & (expected | {"redaction.json"})
    require(good and all(name.startswith("envelopes/") for name in set(files) - fixed), "the manifest doesn't list what a pack has")
    sizes = {name: len(content) for name, content in entries.items() if name not in renderings}
    good = max(sizes.values()) <= LARGEST_FILE and sum(size for name, size in sizes.items() if "/outcome-" not in name) <= LARGEST_REST
    require(good, "a file, or all beside the outcomes, are too large to be read")
    require(not (set(entries) ^ expected) - renderings - {"redaction.json"}, "files are missing or too many")
    for name, listed in files.items():
        require(typed(listed, version=int, sha256=str, size=int), "the manifest is malformed")
        require((sha(entries[name]), len(entries[name])) == (listed["sha256"], listed["size"]), f"{name} differs from what was signed")
    return manifest

def check_history(entries, rows, trust):
    """The checkpoint's (origin, size, root); what stays open, or ""; the log and the places of records that it provably has."""
    origin, size, root, text, signatures = read_checkpoint(entries["log/checkpoint.txt"])
    keys = [log["ed25519"] for log in trust["logs"] if log["origin"] == origin]
    places = {}
    if keys:
        verify_note(origin, text, signatures, keys[0])
    for item in sorted(parse(entries["log/entries.json"], "log/entries.json", list), key=lambda item: item["index"]):
        good = typed(item, index=int, entry=dict, proof=list) and all(map(is_digest, item["proof"])) and item["entry"]["kind"] == "log-entry"
        objects = item["entry"]["record"]["objects"] if good else None
        good = isinstance(objects, list) and all(isinstance(digest, str) for digest in objects)
        require(good and item["entry"]["record"]["index"] == item["index"], "a log entry is malformed")
        leaf = hashlib.sha256(b"\x00" + canonical(item["entry"])).digest()
        verify_inclusion(item["index"], size, leaf, [bytes.fromhex(step) for step in item["proof"]], root)
        for digest in objects:
            places.setdefault(digest, item["index"])
    require(all(digest in places for kind in LOGGED for digest, _ in rows[kind]), "no log entry tells of a record")
    spec, run, result = (places[rows[kind][0][0]] for kind in ("spec", "run", "run-result"))
    before = all(places[digest] < run for digest, _ in rows["merged-model"])
    before = before and all(places[record["run"]] < places[digest] < run for digest, record in rows["training-result"])
    before = before and all(places[mark["outcome"]] < places[digest] for digest, mark in rows["mark"])
    require(spec < run < result and before, "the log has the spec, the run, its result, a training, a merge or a mark in another order")
    return (origin, size, root.hex()), "" if keys else f"the log {origin} isn't in the trust file", (origin, places if keys else {})

def check_signatures(entries, rows, judge, state):
    by_digest = {sha(data) for name, data in entries.items() if name.startswith("envelopes/")}
    records = {digest: record for some in rows.values() for digest, record in some}
    reports, used, authors = [], set(), {(digest, record.get("author")) for digest, record in records.items()}
    signed = [record for _, record in rows["signature"] if record.get("meaning") == "authored"]
    authors |= {(record["subject"], judge.card(record["card"])["user"]) for record in signed}
    made = {digest: record["user"] for digest, record in rows["run"] + rows["training-run"]}
    authors |= {(digest, record["by"]) for digest, record in rows["merged-model"]}
    authors |= {*made.items(), *((digest, made[record["run"]]) for digest, record in rows["run-result"] + rows["training-result"])}
    for digest, record in rows["signature"]:
        used.add(sha(data := record["envelope"].encode("utf-8")))
        subjects, signing, report = judge.envelope(data, digest)
        said = [subjects[0]["digest"]["sha256"]] + [signing[key] for key in ("meaning", "name", "time", "reason", "card")]
        repeated = [record[key] for key in ("subject", "meaning", "name", "time", "reason", "card", "user")]
        require([*said, judge.card(signing["card"])["user"]] == repeated, "a signature's record says something else than its statement or card")
        good = record["subject"] in records and all(s["digest"]["sha256"] in by_digest for s in subjects[1:])
        require(good, "a signature is on something, or rests on an envelope, that isn't in the pack")
        own = signing["meaning"] in ("reviewed", "approved") and (record["subject"], judge.card(signing["card"])["user"]) in authors
        require(not own, "{} judges their own work".format(signing["name"]))
        require(signing["log"]["origin"] == state[0] and signing["log"]["size"] <= state[1], "a signature speaks of another log")
        reports.append(report)
    good = used == by_digest and {f"envelopes/{d}.json" for d in used} == {name for name in entries if name.startswith("envelopes/")}
    require(good, "the envelopes are not those of the signatures, or not named by their digests")
    subjects, signing, report = judge.envelope(entries["release.json"])
    same = [s["digest"]["sha256"] for s in subjects] == [sha(entries["manifest.json"])]
    require(same and signing["meaning"] == "released", "the release was signed over another manifest, or not as a release")
    require((signing["log"]["origin"], signing["log"]["size"], signing["log"]["root"]) == state, "the release speaks of another state of the log")
    return [*reports, report], signing.get("nonce", "")

def examine(data, trust, at):
    """The verdict as a dict. Raises `Invalid`, or what malformed input leads to."""
    manifest = check_files(entries := zip_read(data))
    found = {kind: read_records(kind, entries) for kind in (*KINDS, *EXTRA)}
    rows, hidden = ({kind: some[place] for kind, some in found.items()} for place in (0, 1))
    envelopes = read_merges(entries, rows)
    good = all(len(rows[kind]) == 1 for kind in SINGLE) and len(rows["signature"]) <= MOST_SIGNATURES
    require(good, "the pack holds several runs, results, specs or datasets, or too many signatures")
    check_renderings(entries, manifest, withheld := sum(map(len, hidden.values())))
    outcomes = check_figures(rows)
    check_origins(rows)
    rows["mark"], people = read_marks(entries)
    check_marks(rows, people)
    state, open_log, proven = check_history(entries, rows, trust)
    cards = parse(entries["cards.json"], "cards.json", list)
    for signed in cards if len(cards) <= MOST_SIGNATURES else [None]:
        good = typed(signed, type=str, version=int, card=str, own=dict, counter=(dict, type(None))) and signed["type"] == "signed-card"
        parts = [part for part in (signed["own"], signed["counter"]) if part is not None] if good else []
        require(parts and all(typed(part, version=int, ed25519=str, mldsa65=str) for part in parts), "cards.json is malformed")
    judge = Judge(trust, cards, at, proven)
    signatures, nonce = check_signatures({**entries, **envelopes}, rows, judge, state)
    reasons = list(dict.fromkeys(judge.open + [open_log] * bool(open_log)))
    said = {"title": manifest["title"], "files": len(entries), "outcomes": outcomes, "withheld": withheld, **report_withheld(rows, hidden)}
    said.update(nonce=nonce, redaction_of=sha(entries["manifest.json"]) if withheld else "")
    return {"verdict": "incomplete" if reasons else "valid", "reasons": reasons, "signatures": signatures, **said}

def verify(data, trust, at):
    """The verdict on the bytes of a pack; `trust` is a trust file's content, `at` a time with an offset."""
    try:
        return examine(data, trust, at)
    except Invalid as problem:
        reason = str(problem)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error) as error:
        reason = f"something in the pack is malformed ({type(error).__name__})"
    return {"verdict": "invalid", "reasons": [reason], "signatures": []}
def main(arguments=None):
    parser = argparse.ArgumentParser(description="Verify an Assay evidence pack.")
    parser.add_argument("pack")
    parser.add_argument("--trust", required=True, help="the trust file, obtained beforehand and by another way")
    parser.add_argument("--nonce", default="", help="what you asked to find in the release")
    options = parser.parse_args(arguments)
    try:
        with open(options.trust, "rb") as file, open(options.pack, "rb") as pack:
            trust, data = parse(file.read(), "trust file"), pack.read(LARGEST + 1)
        trust = {"revoked": [], **trust} if isinstance(trust, dict) else {}
        ended = dict(type=str, version=int, card=str, origin=str, size=int, time=str, reason=str)
        good = typed(trust, type=str, version=int, cards=list, logs=list, made=str, revoked=list) and all(typed(r, **ended) for r in trust["revoked"])
        require(good, "not a trust file")
    except (OSError, Invalid) as problem:
        parser.exit(2, f"{problem}\n")
    gc.disable()  # Nothing in a pack refers back to itself, and looking for what does takes a fifth of the time.
    verdict = verify(data, trust, datetime.datetime.now(datetime.timezone.utc))
    if options.nonce and verdict.get("nonce", options.nonce) != options.nonce:
        verdict.update(verdict="invalid", reasons=["the release doesn't hold the nonce: this isn't the pack that was asked for"])
    print(json.dumps(verdict, indent=1, ensure_ascii=True))
    return 0 if verdict["verdict"] == "valid" else 1
if __name__ == "__main__":
    sys.exit(main())
