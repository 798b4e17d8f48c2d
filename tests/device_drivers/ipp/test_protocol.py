"""IPP messages: literal bytes that another client wrote, every value tag, and anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.ipp import operations
from device_drivers.ipp.printer import Job, PrinterState
from device_drivers.ipp.protocol import (
    GROUPS_MAX,
    VALUES_MAX,
    BadMessageError,
    Group,
    Message,
    Tag,
    Value,
    _Reader,
    decode,
    encode,
)

# As ipptool (CUPS 2.4.2) writes the same requests, byte for byte, its own request-ids included.
CANCEL = bytes.fromhex(
    "0200000800011b1a01470012617474726962757465732d6368617273657400057574662d3848001b61747472696275746573"
    "2d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d757269001f6970703a2f2f3132372e302e30"
    "2e313a31383730302f6970702f7072696e742100066a6f622d696400040000002a42001472657175657374696e672d757365"
    "722d6e616d65000a6272616e63686761746503"
)
CREATE = bytes.fromhex(
    "0200000500011b1b01470012617474726962757465732d6368617273657400057574662d3848001b61747472696275746573"
    "2d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d757269001f6970703a2f2f3132372e302e30"
    "2e313a31383730302f6970702f7072696e7442001472657175657374696e672d757365722d6e616d65000a6272616e636867"
    "6174654200086a6f622d6e616d65000c4f2d31372f7072696e742f3102210006636f7069657300040000000103"
)
JOBS = bytes.fromhex(
    "0200000a00011b1c01470012617474726962757465732d6368617273657400057574662d3848001b61747472696275746573"
    "2d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d757269001f6970703a2f2f3132372e302e30"
    "2e313a31383730302f6970702f7072696e742100056c696d69740004000001f444000a77686963682d6a6f62730009636f6d"
    "706c657465642200076d792d6a6f62730001004400147265717565737465642d6174747269627574657300066a6f622d6964"
    "44000000086a6f622d6e616d6544000000096a6f622d737461746544000000116a6f622d73746174652d726561736f6e7344"
    "000000196a6f622d696d7072657373696f6e732d636f6d706c65746564440000001a6a6f622d6d656469612d736865657473"
    "2d636f6d706c6574656444000000136e756d6265722d6f662d646f63756d656e7473440000001274696d652d61742d70726f"
    "63657373696e6703"
)
SEND = bytes.fromhex(
    "0200000600011b1d01470012617474726962757465732d6368617273657400057574662d3848001b61747472696275746573"
    "2d6e61747572616c2d6c616e67756167650002656e45000b7072696e7465722d757269001f6970703a2f2f3132372e302e30"
    "2e313a31383730302f6970702f7072696e742100066a6f622d696400040000002a42001472657175657374696e672d757365"
    "722d6e616d65000a6272616e63686761746542000d646f63756d656e742d6e616d65000973746174656d656e7449000f646f"
    "63756d656e742d666f726d6174000f6170706c69636174696f6e2f70646622000d6c6173742d646f63756d656e7400010103"
)
URI = "ipp://127.0.0.1:18700/ipp/print"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (operations.cancel_job(URI, 0x00011B1A, 42), CANCEL),
        (operations.create_job(URI, 0x00011B1B, "O-17/print/1", {}), CREATE),
        (operations.get_jobs(URI, 0x00011B1C, "completed", 500), JOBS),
        (operations.send_document(URI, 0x00011B1D, 42, "application/pdf", "statement", last=True), SEND),
    ],
)
def test_every_request_that_matters_is_what_another_client_writes(ours: Message, theirs: bytes) -> None:
    assert encode(ours) == theirs
    assert decode(theirs) == ours


def test_an_additional_value_has_no_name() -> None:
    group = Group(Tag.OPERATION, {"which": (Value(Tag.KEYWORD, "a"), Value(Tag.KEYWORD, "b"))})
    assert encode(Message((2, 0), 1, 1, (group,)))[9:-1] == bytes.fromhex("44 0005 7768696368 0001 61 44 0000 0001 62")


def test_collections_are_passed_over_and_what_follows_is_read() -> None:
    inner = bytes.fromhex(
        "4a 0000 0001 78 34 0000 0000 4a 0000 0001 79 21 0000 0004 00000001 37 0000 0000 37 0000 0000"
    )
    data = bytes.fromhex("0200 0000 00000001 04 34 0009 6d656469612d636f6c 0000") + inner
    data += bytes.fromhex("34 0000 0000 37 0000 0000 21 0001 7a 0004 00000005 03")
    group = decode(data).group(Tag.PRINTER)
    assert [value.tag for value in group.attributes["media-col"]] == [Tag.BEGIN_COLLECTION] * 2
    assert group.integer("z") == 5


def test_the_kinds_of_values() -> None:
    values = {
        "no": (Value(Tag.NO_VALUE),),
        "unknown": (Value(Tag.UNKNOWN),),
        "range": (Value(Tag.RANGE, (1, 99)),),
        "resolution": (Value(Tag.RESOLUTION, (300, 600, 3)),),
        "date": (Value(Tag.DATE_TIME, bytes(11)),),
        "octets": (Value(Tag.OCTETS, b"\xff\x00"),),
        "chinese": (Value(Tag.NAME, "回单"),),
        "minus": (Value(Tag.INTEGER, -2),),
    }
    group = decode(encode(Message((1, 1), 0, 9, (Group(Tag.JOB, values),), b"data"))).group(Tag.JOB)
    assert group.attributes == values
    assert group.has_no_value("no")
    assert not group.has_no_value("unknown")
    assert not group.has_no_value("missing")


HEAD = bytes.fromhex("0200 0000 00000001")
ONE_MORE = bytes.fromhex("44 0000 0001 78")


class Counting(dict[str, list[Value]]):
    """Counts how often a row of values is put in, which is as long as it is by then."""

    put = 0

    def __setitem__(self, name: str, values: list[Value]) -> None:
        self.put += 1
        super().__setitem__(name, values)


def test_an_attribute_with_many_values_is_read_in_one_go() -> None:
    """Each value was put in with all before it: 600 KB of one answer held up a whole branch for half a minute."""
    into = Counting()
    _Reader(HEAD + bytes.fromhex("44 0001 61 0001 78") + ONE_MORE * 5_000 + b"\x03")._attributes(into)
    assert len(into["a"]) == 5_001
    assert into.put == 1


@pytest.mark.parametrize(
    "beyond",
    [
        bytes.fromhex("02 44 0001 61 0001 78") + ONE_MORE * VALUES_MAX,
        b"\x02" * (GROUPS_MAX + 1),
        bytes.fromhex("02 34 0001 61 0000") + bytes.fromhex("4a 0000 0001 78") * VALUES_MAX,
    ],
    ids=["values", "groups", "members"],
)
def test_a_message_beyond_all_bounds_is_none(beyond: bytes) -> None:
    """A box of 512 MB has no room for four million groups."""
    with pytest.raises(BadMessageError, match="more than"):
        decode(HEAD + beyond + b"\x03")


def test_a_name_with_its_language_is_a_name() -> None:
    data = bytes.fromhex("0200 0000 00000001 02 36 0001 6e 000a 0002 7a68 0004") + b"test" + b"\x03"
    assert decode(data).group(Tag.JOB).text("n") == "test"
    with pytest.raises(BadMessageError, match="lengths"):
        decode(bytes.fromhex("0200 0000 00000001 02 36 0001 6e 000a 0002 7a68 0005") + b"test" + b"\x03")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0200 0000 00000001",
        "0200 0000 00000001 00 03",
        "0200 0000 00000001 21",
        "0200 0000 00000001 01 21 0000 0004 00000001 03",
        "0200 0000 00000001 01 21 0001 61 0003 000001 03",
        "0200 0000 00000001 01 21 0001 61 0004 00000001",
        "0200 0000 00000001 01 34 0001 61 0000 03",
        "0200 0000 00000001 01 34 0001 61 0000 " + "34 0000 0000 " * 17,
        "0200 0000 00000001 01 44 ffff 61",
    ],
)
def test_what_is_no_message_is_told(text: str) -> None:
    with pytest.raises(BadMessageError):
        decode(bytes.fromhex(text))


def test_a_message_cut_anywhere_is_no_message() -> None:
    whole = encode(operations.get_printer_attributes("ipp://127.0.0.1/ipp/print", 1))
    for end in range(len(whole)):
        with pytest.raises(BadMessageError):
            decode(whole[:end])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_are_told_not_to_be(data: bytes) -> None:
    for start in (b"", bytes.fromhex("0200 0000 00000001 01"), bytes.fromhex("0200 0000 00000001 02 21")):
        try:
            message = decode(start + data)
        except BadMessageError:
            continue
        for group in message.groups:
            Job.of(group)
            assert PrinterState.of(group).state is not None


_WORDS = st.text(min_size=1, max_size=20)
_VALUES = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(lambda number: Value(Tag.INTEGER, number)),
    st.booleans().map(lambda flag: Value(Tag.BOOLEAN, flag)),
    _WORDS.map(lambda text: Value(Tag.TEXT, text)),
    st.binary(max_size=20).map(lambda data: Value(Tag.OCTETS, data)),
    st.just(Value(Tag.NO_VALUE)),
)
_NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=30)
_GROUPS = st.builds(
    Group, st.sampled_from([1, 2, 4, 5]), st.dictionaries(_NAMES, st.tuples(_VALUES, _VALUES), max_size=5)
)


@given(st.lists(_GROUPS, max_size=4), st.binary(max_size=50))
def test_what_is_encoded_is_decoded_again(groups: list[Group], data: bytes) -> None:
    message = Message((2, 0), 0x0401, 77, tuple(groups), data)
    assert decode(encode(message)) == message


def test_what_has_no_encoding_is_refused_before_it_is_written() -> None:
    for value in (
        Value(Tag.INTEGER, 2**31),
        Value(Tag.NAME, "x" * 40_000),
        Value(Tag.BOOLEAN, "yes"),
        Value(Tag.INTEGER),
    ):
        with pytest.raises(ValueError, match=r"fit|more than"):
            encode(Message((2, 0), 1, 1, (Group(Tag.JOB, {"x": (value,)}),)))
    with pytest.raises(ValueError, match="no value"):
        encode(Message((2, 0), 1, 1, (Group(Tag.JOB, {"x": ()}),)))
