from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.envelope import (
    MAX_DEPTH,
    MAX_PAYLOAD_BYTES,
    BadMessage,
    Envelope,
    read_envelope,
    read_object,
    rfc3339,
)
from cloud_bridge.examples import EXAMPLES
from cloud_bridge.hearing import hear, subscription
from cloud_bridge.messages.catalogue import EVENTS, INSTRUCTIONS
from cloud_bridge.messages.instructions import OrderSubmit

GOOD = next(iter(EXAMPLES.values()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
    max_leaves=20,
)


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def attempt(payload: bytes) -> Envelope | BadMessage:
    try:
        return read_envelope(payload)
    except BadMessage as bad:
        return bad


@pytest.mark.rule("ENV-5")
@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_refusal(payload: bytes) -> None:
    read = attempt(payload)
    assert read.why if isinstance(read, BadMessage) else read_envelope(read.to_bytes()) == read


@pytest.mark.rule("ENV-5")
@given(st.dictionaries(st.sampled_from([*GOOD, "extra"]), JSON))
def test_any_members_are_a_message_or_a_refusal(changes: dict[str, Any]) -> None:
    read = attempt(encode(GOOD | changes))
    if isinstance(read, BadMessage):
        assert read.why
        assert read.message_id is None or read.message_id == (GOOD | changes)["id"]
    else:
        json.dumps(read.data, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.rule("ENV-5")
@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not UTF-8 JSON"),
        (b"\xff\xfe{}", "not UTF-8 JSON"),
        (b'"text"', "not an object"),
        (b"[]", "not an object"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "not JSON"),
        (b'{"a": 1e999}', "larger than any number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not UTF-8 JSON"),
        (b'{"a": "\\ud800"}', "surrogates not allowed"),
        (b'{"\\udfff": 1}', "surrogates not allowed"),
        (b'{"a": ' + b"[" * 200_000, "not UTF-8 JSON"),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "deep"),
        (b'{"a": "' + b"x" * MAX_PAYLOAD_BYTES + b'"}', "over 262144: send a reference"),
    ],
)
def test_what_is_no_object_is_refused_with_its_reason(payload: bytes, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        read_object(payload)


def test_what_lies_just_inside_the_bounds_is_read() -> None:
    deep = b'{"a": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert read_object(deep)
    assert read_object(b'{"a": "' + b"x" * (MAX_PAYLOAD_BYTES - 9) + b'"}')
    assert read_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.rule("ENV-1")
@pytest.mark.parametrize("name", ["specversion", "source", "type", "time", "branch"])
def test_an_envelope_without_what_it_needs_names_it_and_its_id(name: str) -> None:
    members = {key: value for key, value in GOOD.items() if key != name} | ({name: 1} if name == "specversion" else {})
    with pytest.raises(BadMessage, match=name) as caught:
        read_envelope(encode(members))
    assert caught.value.message_id == GOOD["id"]


@pytest.mark.rule("ENV-1")
def test_unknown_attributes_are_kept() -> None:
    envelope = read_envelope(encode(GOOD | {"traceparent": "00-ab", "later": {"x": [1]}}))
    assert json.loads(envelope.to_bytes())["later"] == {"x": [1]}


@pytest.mark.rule("ENV-1")
def test_times_need_a_zone_and_are_told_in_utc() -> None:
    with pytest.raises(BadMessage, match="time"):
        read_envelope(encode(GOOD | {"time": "2026-03-02T01:15:30"}))
    beijing = datetime(2026, 3, 2, 9, 15, 30, 250_999, tzinfo=timezone(timedelta(hours=8)))
    assert rfc3339(beijing) == "2026-03-02T01:15:30.250Z"


@pytest.mark.rule("ENV-5")
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T00:00:00Z"])
def test_the_ends_of_the_calendar_are_refused_before_they_overflow(end: str) -> None:
    for name in ("time", "deadline"):
        with pytest.raises(BadMessage, match="year is out of range"):
            read_envelope(encode(GOOD | {name: end}))
    with pytest.raises(ValueError, match="year is out of range"):
        OrderSubmit.model_validate({"scene": "x", "not_before": end})


def test_an_id_that_is_no_text_is_not_taken_for_one() -> None:
    with pytest.raises(BadMessage) as caught:
        read_envelope(encode(GOOD | {"id": 7}))
    assert caught.value.message_id is None


@pytest.mark.parametrize(
    "topic", ["", "other/b1/events", "branchgate/v1/b1", "branchgate/v1/b1/instructions", "/events"]
)
def test_a_topic_that_is_no_branchs_is_refused(topic: str) -> None:
    with pytest.raises(BadMessage, match="topic"):
        hear("branchgate/v1", topic, encode(EXAMPLES[next(iter(EVENTS))]))


def test_what_is_subscribed_to_is_what_is_heard() -> None:
    assert subscription("r", None, "events") == "r/+/events"
    assert subscription("r", "b1", "devices") == "r/b1/devices/+"
    heard = hear("r", "r/b1/devices/card-1", encode(EXAMPLES["branchgate.device.reported.v1"]), retained=True)
    assert (heard.kind, heard.branch, heard.retained) == ("devices", "b1", True)


def test_the_wrong_data_for_its_type_is_refused() -> None:
    spoilt = EXAMPLES["branchgate.order.changed.v1"] | {"data": {"journal": "j", "seq": 0}}
    with pytest.raises(BadMessage, match="seq"):
        hear("r", "r/b1/events", encode(spoilt))


@pytest.mark.rule("INS-1")
def test_each_instruction_type_says_which_class_of_authority_it_needs() -> None:
    assert {row.authority for row in INSTRUCTIONS.values()} == {"read", "service", "physical", "admin"}
    assert Envelope.model_validate(GOOD).deadline is not None
