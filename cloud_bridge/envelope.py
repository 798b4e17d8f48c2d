"""The CloudEvents envelope of every message, and the reading of received bytes into it.

Knows the outer form only (contract §1); what `data` means is said by `messages/`.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

MAX_PAYLOAD_BYTES = 256 * 1024  # ENV-5
MAX_DEPTH = 64  # what can be read can be written again, whatever the stack
SHORT_CHARS = 200  # a text member that a shortened message keeps
CONTENT_TYPE = "application/cloudevents+json"


def _of_this_age(moment: datetime) -> datetime:
    # At the ends of the calendar a change of zone overflows; nothing of a branch is there.
    if not 1970 < moment.year < 9999:
        raise PydanticCustomError("no_moment", "the year is out of range")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_of_this_age)]


class BadMessage(ValueError):
    """A payload that cannot be read as a message; `message_id` is its id when at least that could be read.

    `members`: those that are wrong or missing, where it is JSON.
    """

    def __init__(self, why: str, message_id: str | None = None, members: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.message_id = message_id
        self.members = members


class Envelope(BaseModel):
    """One CloudEvents 1.0 event in structured JSON mode. Unknown attributes are kept and ignored (ENV-1)."""

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=200)
    source: str = Field(
        min_length=1, max_length=200, description="/branches/{branch}, /schedulers/{name} or /people/{id}"
    )
    type: str = Field(min_length=1, max_length=100, description="branchgate.<noun>.<verb>.v1")
    time: Moment
    subject: str | None = Field(
        default=None, max_length=200, description="the order, device or ticket that it is about"
    )
    datacontenttype: str = "application/json"
    branch: str = Field(min_length=1, max_length=64)
    deadline: Moment | None = Field(default=None, description="last moment at which an instruction may be accepted")
    traceparent: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As it travels."""
        return self.model_dump_json(exclude_none=True).encode()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same member name twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is larger than any number that can be kept")
    return number


def _shallow(value: Any) -> None:
    todo = [(value, 1)]
    while todo:
        node, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(node, dict | list):
            todo.extend((part, depth + 1) for part in (node.values() if isinstance(node, dict) else node))


def read_object(payload: bytes) -> dict[str, Any]:
    """Bytes -> JSON object. Raises BadMessage for size, encoding, syntax, names that repeat, numbers, depth."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BadMessage(f"payload of {len(payload)} bytes is over {MAX_PAYLOAD_BYTES}: send a reference instead")
    try:
        text = payload.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
        _shallow(value)
        if "\\u" in text:  # half a surrogate pair can be escaped, and then neither be stored nor sent again
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"payload is not UTF-8 JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadMessage("payload is JSON but not an object: send one CloudEvents object")
    return value


def explain(error: ValidationError) -> str:
    """A pydantic error as one sentence that names each wrong member (at most five)."""
    return "; ".join(f"{_place(one)}: {one['msg']}" for one in error.errors()[:5])


def _place(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"]) or "message"


def shortened(payload: bytes) -> bytes:
    """One of our own messages without what is long in its `data`; `too_large` there is its true size in bytes."""
    members = json.loads(payload)
    data = {key: value for key, value in members["data"].items() if _is_short(value)}
    members["data"] = data | {"too_large": len(payload)}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def _is_short(value: Any) -> bool:
    return len(value) <= SHORT_CHARS if isinstance(value, str) else not isinstance(value, dict | list)


def read_envelope(payload: bytes) -> Envelope:
    """Bytes -> Envelope. Raises BadMessage."""
    try:
        return Envelope.model_validate(read_object(payload))
    except ValidationError as error:
        members = tuple(_place(one) for one in error.errors()[:5])
        raise BadMessage(explain(error), _id_in(payload), members) from error
    except BadMessage as bad:
        raise BadMessage(bad.why, _id_in(payload)) from bad


def _id_in(payload: bytes) -> str | None:
    """The one usable id of what cannot be used otherwise: its sender shall have an answer (ENV-5)."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        members = json.loads(payload.decode("utf-8"), object_pairs_hook=tuple)
        ids = [value for key, value in members if key == "id"] if isinstance(members, tuple) else []
        usable = len(ids) == 1 and isinstance(ids[0], str) and ids[0].encode() and len(ids[0]) <= 200
    except (ValueError, RecursionError):
        return None
    return str(ids[0]) if usable else None


def rfc3339(moment: datetime) -> str:
    """A moment as contract text: UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
