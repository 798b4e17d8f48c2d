"""IPP messages, requests and answers alike: bytes to groups of attributes and back, without a line or a clock.

Knows tags, lengths and bounds; must not know what an attribute means for a job. Source: RFC 8010 section 3 (encoding),
section 3.5 (tags), RFC 8011 section 5.4 (values).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

VERSION_2_0 = (2, 0)
VERSION_1_1 = (1, 1)
BYTES_MAX = 4 * 1024 * 1024  # of attributes in one message; a printer's thousand jobs are some 200 KiB
VALUES_MAX = 100_000  # in all of one message, those inside collections too
GROUPS_MAX = 10_000  # one for each job, of which a profile asks for 5000 at most
DEPTH_MAX = 16  # collections inside collections


class Tag(IntEnum):
    """Delimiters below 10, out-of-band values to 1F, then the types of values."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED_GROUP = 0x05

    UNSUPPORTED = 0x10
    UNKNOWN = 0x12
    NO_VALUE = 0x13

    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTETS = 0x30
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    BEGIN_COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


_DELIMITERS = range(0x10)
_OUT_OF_BAND = range(0x10, 0x20)
_STRINGS = range(0x40, 0x60)
_NUMBERS = {Tag.INTEGER: ">i", Tag.ENUM: ">i", Tag.RANGE: ">ii", Tag.RESOLUTION: ">iib"}
_WITH_LANGUAGE = (Tag.TEXT_WITH_LANGUAGE, Tag.NAME_WITH_LANGUAGE)

Plain = int | bool | str | bytes | tuple[int, ...] | None


class BadMessageError(ValueError):
    """Bytes that are no IPP message, or one beyond our bounds."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value with its tag. Out-of-band values and collections have `plain` None."""

    tag: int
    plain: Plain = None


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its delimiter and its attributes, each with one value or more."""

    tag: int
    attributes: Mapping[str, tuple[Value, ...]]

    def integer(self, name: str) -> int | None:
        """The first value, if it is an integer or enum."""
        for value in self.attributes.get(name, ())[:1]:
            if value.tag in (Tag.INTEGER, Tag.ENUM) and isinstance(value.plain, int):
                return value.plain
        return None

    def integers(self, name: str) -> tuple[int, ...]:
        """All values that are integers or enums."""
        values = self.attributes.get(name, ())
        return tuple(v.plain for v in values if v.tag in (Tag.INTEGER, Tag.ENUM) and isinstance(v.plain, int))

    def flag(self, name: str) -> bool | None:
        """The first value, if it is a boolean."""
        for value in self.attributes.get(name, ())[:1]:
            if isinstance(value.plain, bool):
                return value.plain
        return None

    def text(self, name: str) -> str:
        """The first value, if it is any kind of text; else empty."""
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> tuple[str, ...]:
        """All values that are texts, names, keywords or URIs."""
        return tuple(v.plain for v in self.attributes.get(name, ()) if isinstance(v.plain, str))

    def has_no_value(self, name: str) -> bool:
        """True when the attribute is there and says `no-value`: what it would tell never happened."""
        return [value.tag for value in self.attributes.get(name, ())] == [Tag.NO_VALUE]


@dataclass(frozen=True, slots=True)
class Message:
    """`code` is the operation of a request, the status of an answer; `data` follows the attributes (a document)."""

    version: tuple[int, int]
    code: int
    request_id: int
    groups: Sequence[Group] = field(default_factory=tuple)
    data: bytes = b""

    def group(self, tag: int) -> Group:
        """The first group of that tag; an empty one when there is none."""
        return next((group for group in self.groups if group.tag == tag), Group(tag, {}))

    def all(self, tag: int) -> list[Group]:
        """Every group of that tag: the jobs of a Get-Jobs answer."""
        return [group for group in self.groups if group.tag == tag]


def encode(message: Message) -> bytes:
    """The bytes of a message, its data at the end. Raises ValueError for what has no encoding."""
    head = struct.pack(">BBHI", *message.version, message.code, message.request_id)
    parts = [head]
    for group in message.groups:
        parts.append(bytes([group.tag]))
        for name, values in group.attributes.items():
            parts += _encode_attribute(name, values)
    return b"".join([*parts, bytes([Tag.END]), message.data])


def _encode_attribute(name: str, values: Sequence[Value]) -> Iterator[bytes]:
    if not values:
        raise ValueError(f"attribute {name!r} has no value")
    for number, value in enumerate(values):
        written = b"" if number else name.encode("ascii")  # an additional value has a name of length 0
        yield bytes([value.tag]) + _sized(written) + _sized(_encode_plain(value))


def _sized(data: bytes) -> bytes:
    if len(data) > 0x7FFF:
        raise ValueError(f"{len(data)} bytes are more than a name or value may have")
    return struct.pack(">H", len(data)) + data


def _encode_plain(value: Value) -> bytes:
    plain = value.plain
    if value.tag in _OUT_OF_BAND and plain is None:
        return b""
    if value.tag == Tag.BOOLEAN and isinstance(plain, bool):
        return bytes([plain])
    if value.tag in _NUMBERS:
        numbers = plain if isinstance(plain, tuple) else (plain,)
        try:
            return struct.pack(_NUMBERS[Tag(value.tag)], *numbers)
        except struct.error as error:
            raise ValueError(f"{plain!r} does not fit the tag {value.tag:02X}") from error
    if value.tag in _STRINGS and isinstance(plain, str):
        return plain.encode("utf-8")
    if value.tag not in _STRINGS and isinstance(plain, bytes):
        return plain
    raise ValueError(f"{plain!r} does not fit the tag {value.tag:02X}")


def decode(data: bytes) -> Message:
    """Reads a whole message. Raises BadMessageError."""
    if len(data) < 9:
        raise BadMessageError(f"a message has at least 9 bytes, not {len(data)}")
    major, minor, code, request_id = struct.unpack(">BBHI", data[:8])
    reader = _Reader(data)
    groups = tuple(reader.groups())
    return Message((major, minor), code, request_id, groups, data[reader.at :])


class _Reader:
    """A place in the bytes of one message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = min(len(data), BYTES_MAX)
        self._values = self._groups = 0
        self.at = 8

    def groups(self) -> Iterator[Group]:
        tag = self._byte()
        while tag != Tag.END:
            if tag not in _DELIMITERS or tag == 0:
                raise BadMessageError(f"a group begins with a delimiter, not {tag:02X}")
            self._groups += 1
            if self._groups > GROUPS_MAX:
                raise BadMessageError(f"more than {GROUPS_MAX} groups")
            attributes: dict[str, list[Value]] = {}
            following = self._attributes(attributes)
            yield Group(tag, {name: tuple(values) for name, values in attributes.items()})
            tag = following

    def _attributes(self, into: dict[str, list[Value]]) -> int:
        """Fills one group; the delimiter that ended it."""
        name = ""
        while (tag := self._byte()) not in _DELIMITERS:
            written = _text(self._sized())
            if not written and not name:
                raise BadMessageError("an additional value without an attribute")
            name = written or name
            if written:
                into[name] = []  # a name that comes twice, against the RFC: the later one counts
            into[name].append(self._value(tag))
        return tag

    def _value(self, tag: int) -> Value:
        raw = self._sized()
        self._count()
        if tag == Tag.BEGIN_COLLECTION:
            self._skip_collection()
            return Value(tag)
        return Value(tag, _plain(tag, raw))

    def _skip_collection(self) -> None:
        depth = 1
        while depth:
            tag = self._byte()
            if tag in _DELIMITERS:
                raise BadMessageError("a collection without its end")
            self._sized()
            self._sized()
            self._count()
            depth += (tag == Tag.BEGIN_COLLECTION) - (tag == Tag.END_COLLECTION)
            if depth > DEPTH_MAX:
                raise BadMessageError(f"collections more than {DEPTH_MAX} deep")

    def _count(self) -> None:
        self._values += 1
        if self._values > VALUES_MAX:
            raise BadMessageError(f"more than {VALUES_MAX} values")

    def _byte(self) -> int:
        return self._take(1)[0]

    def _sized(self) -> bytes:
        return self._take(int.from_bytes(self._take(2), "big"))

    def _take(self, count: int) -> bytes:
        if self.at + count > self._end:
            raise BadMessageError("the message ends too early, or is too long")
        self.at += count
        return self._data[self.at - count : self.at]


def _plain(tag: int, raw: bytes) -> Plain:
    if tag in _OUT_OF_BAND:
        return None
    if tag == Tag.BOOLEAN and len(raw) == 1:
        return raw[0] != 0
    if tag in _NUMBERS:
        form = _NUMBERS[Tag(tag)]
        if len(raw) != struct.calcsize(form):
            raise BadMessageError(f"{len(raw)} bytes are no value of tag {tag:02X}")
        numbers = struct.unpack(form, raw)
        return int(numbers[0]) if len(numbers) == 1 else numbers
    if tag in _WITH_LANGUAGE:
        return _without_language(raw)
    return _text(raw) if tag in _STRINGS else raw


def _without_language(raw: bytes) -> str:
    first = int.from_bytes(raw[:2], "big") + 2
    text = raw[first + 2 :]
    if len(raw) < 4 or first + 2 > len(raw) or int.from_bytes(raw[first : first + 2], "big") != len(text):
        raise BadMessageError("a text with language whose lengths do not fit")
    return _text(text)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
