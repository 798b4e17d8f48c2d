"""What a link to a broker offers, in words without a library: what CONNECT says, what can go wrong, what a message is.

Knows the promises that the bridge builds on; must not know which library keeps them (mqtt_link).
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Protocol

SESSION_EXPIRY_S = 7 * 24 * 3600  # SES-1


class ConnectRefused(Exception):
    """The broker, or the way to it, refused the connection or a subscription; says which and why.

    `code` is the broker's own reason code (MQTT 5 §2.4); 0 where the broker said nothing.
    """

    def __init__(self, why: str, *, code: int = 0) -> None:
        super().__init__(why)
        self.code = self.mqtt = code


class LinkLost(Exception):
    """The connection is gone; `taken_over` when another client uses our id; `mqtt` is the broker's reason code or 0."""

    def __init__(self, why: str, *, taken_over: bool = False, mqtt: int = 0) -> None:
        super().__init__(why)
        self.taken_over = taken_over
        self.mqtt = mqtt


TOO_LARGE = "Packet too large"  # MQTT's name of reason code 0x95


class PublishRefused(Exception):
    """The broker acknowledged a publish with a failure; `reason` is MQTT's own name of it, `mqtt` its code."""

    def __init__(self, topic: str, reason: str, mqtt: int = 0) -> None:
        super().__init__(f"the broker refused a message on {topic}: {reason}")
        self.reason = reason
        self.mqtt = mqtt


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the connection ends without a goodbye."""

    topic: str
    payload: bytes
    delay_s: int = 30  # SES-3


@dataclass(frozen=True, slots=True)
class Connect:
    """Everything that CONNECT says. The password never shows in repr or log."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    will: Will | None = None
    clean_start: bool = False
    session_expiry_s: int = SESSION_EXPIRY_S
    receive_maximum: int = 32
    keepalive_s: int = 20
    timeout_s: float = 10.0
    loopback_only: bool = False  # a branch, until instructions are signed


@dataclass(frozen=True, slots=True)
class Granted:
    """What CONNACK lets this connection do (MQTT 5 §3.2.2.3); a broker that says nothing allows all of it."""

    receive_maximum: int
    packet_bytes: int
    session_expiry_s: int
    retained: bool
    qos: int


class Message(Protocol):
    """One message from the broker; it stays with the broker until `ack`."""

    @property
    def topic(self) -> str:
        """Where it was published."""
        ...

    @property
    def payload(self) -> bytes:
        """Any bytes."""
        ...

    @property
    def retained(self) -> bool:
        """Whether it was kept by the broker and is older than the subscription."""
        ...

    def ack(self) -> None:
        """It is safe with us now. PUBACKs leave in order of arrival, whatever the order of these calls (INS-2)."""
        ...


class Link(Protocol):
    """One connection, from CONNACK to its end; never reconnected."""

    @property
    def session_present(self) -> bool:
        """Whether the broker kept our session since the last connection."""
        ...

    @property
    def window(self) -> int:
        """How many publishes may be without PUBACK at once."""
        ...

    @property
    def congested(self) -> bool:
        """Whether bytes wait here for the network: what may be shed had better not join them."""
        ...

    async def subscribe(self, *topics: str) -> None:
        """QoS 1 on each, after SUBACK. Raises ConnectRefused when one is not granted, LinkLost."""
        ...

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, expiry_s: int | None = None
    ) -> None:
        """QoS 1: returns after PUBACK. Raises PublishRefused, and LinkLost at the moment the connection ends.

        Calls leave in the order in which they are made, `window` at once.
        """
        ...

    async def send(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, expiry_s: int | None = None
    ) -> asyncio.Future[None]:
        """The same for whoever sends several: returns when it is on its way, and the future is the PUBACK.

        Raises what never left: PublishRefused, LinkLost; the rest is raised by the future, and nobody need wait for it.
        """
        ...

    async def receive(self) -> Message:
        """The next message, in order of arrival. Raises LinkLost; what was not acknowledged stays with the broker."""
        ...

    async def wait_lost(self) -> LinkLost:
        """Returns why, when the connection ends."""
        ...

    async def close(self) -> None:
        """A normal DISCONNECT: the broker forgets the will and keeps the session. Bounded by a second."""
        ...

    async def drop(self) -> None:
        """End without a goodbye: the broker will publish the will."""
        ...
