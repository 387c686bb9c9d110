"""Frames survive any cutting of the stream, and bytes that are none of ours are refused without a crash."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workers import frames
from core.workers.frames import BadFrame, Unpacker, body, from_child, pack, to_child
from core.workers.records import Cancel, Credit, End, Failure, FromChild, Part, Reply, Request

RAW = st.binary(max_size=300).map(lambda data: msgspec.Raw(msgspec.msgpack.encode(data)))
IDS = st.integers(min_value=0, max_value=2**63)
ANSWERS = st.one_of(
    st.builds(Reply, id=IDS, body=RAW),
    st.builds(Part, id=IDS, body=RAW),
    st.builds(End, id=IDS),
    st.builds(
        Failure,
        id=IDS,
        error=st.text(max_size=20),
        fields=st.dictionaries(st.text(max_size=9), st.text() | st.integers(0, 9)),
    ),
)


def plain(message: FromChild) -> object:
    return msgspec.to_builtins(message) if isinstance(message, End | Failure) else (message.id, bytes(message.body))  # type: ignore[union-attr]


@given(messages=st.lists(ANSWERS, max_size=8), cuts=st.lists(st.integers(1, 200), min_size=1, max_size=10))
def test_messages_arrive_whole_however_the_bytes_are_cut(messages: list[FromChild], cuts: list[int]) -> None:
    stream = b"".join(pack(message) for message in messages)
    unpacker, found, at, turn = Unpacker(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        found += [from_child(payload) for payload in unpacker.feed(stream[at : at + size])]
        at, turn = at + size, turn + 1
    assert [plain(one) for one in found] == [plain(one) for one in messages]
    assert unpacker.empty


@given(data=st.binary(max_size=2000))
def test_junk_is_refused_or_waits_and_nothing_else(data: bytes) -> None:
    unpacker, problem = Unpacker(largest=1000), ""
    try:
        for payload in unpacker.feed(data):
            from_child(payload)
    except BadFrame as refused:
        problem = str(refused)
    assert problem or len(data) < frames.HEADER + 1000 or unpacker.empty
    assert len(problem) < 100


def test_a_length_above_the_limit_is_refused_before_its_bytes_arrive() -> None:
    with pytest.raises(BadFrame, match="a frame of 1001 bytes, above the limit of 1000"):
        list(Unpacker(largest=1000).feed((1001).to_bytes(4, "big")))


def test_a_message_above_the_limit_is_not_packed() -> None:
    with pytest.raises(BadFrame, match="above the limit of 50"):
        pack(Reply(id=1, body=msgspec.Raw(msgspec.msgpack.encode(bytes(100)))), largest=50)


def test_each_direction_takes_only_its_own_messages() -> None:
    payload = pack(Cancel(id=3))[frames.HEADER :]
    assert to_child(payload) == Cancel(id=3)
    with pytest.raises(BadFrame):
        from_child(payload)
    with pytest.raises(BadFrame):
        to_child(pack(End(id=3))[frames.HEADER :])


def test_a_request_carries_its_record_still_encoded() -> None:
    message = to_child(pack(Request(id=1, kind="credit", body=body(Credit(id=7, parts=2))))[frames.HEADER :])
    assert isinstance(message, Request)
    assert msgspec.msgpack.decode(message.body, type=Credit) == Credit(id=7, parts=2)
