"""One MQTT 5 connection as asyncio sees it: what was sent and is not acknowledged, what came and is not taken.

Knows packets, acknowledgements and reason codes; must not know what a payload means, nor when to connect again. The
library (paho) runs on our loop, and only this file, `mqtt_client` and `mqtt_pump` know it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud_bridge.gathering import GatheringSocket
from cloud_bridge.link import TOO_LARGE, Connect, ConnectRefused, Granted, LinkLost, PublishRefused
from cloud_bridge.mqtt_client import NO_LIMIT, client_for, granted_by, of_publish, packed, properties_of, say_connect
from cloud_bridge.mqtt_pump import Pump
from cloud_bridge.sockets import open_socket
from cloud_bridge.troubles import english_of

log = logging.getLogger(__name__)

MAX_INFLIGHT = 100  # publishes without PUBACK at once, if the broker takes so many
PACKET_OVERHEAD = 64  # header, properties and lengths of a PUBLISH of ours
FIRST_REFUSAL = 0x80  # MQTT 5 §2.4: reason codes from here on are failures
TAKEN_OVER = 0x8E  # MQTT 5 §3.14.2.1: another connection uses the same client id
CLOSE_LIMIT_S = 1.0
PUMP_INTERVAL_S = 0.5  # how often paho looks at its keepalive
FLOOD_MARGIN = 64  # QoS 0 is outside Receive Maximum; past this many waiting messages the socket is left unread


@dataclass(eq=False, slots=True)
class Received:
    """One message from the broker (link.Message)."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    link: MqttLink = field(repr=False)
    acked: bool = False

    def ack(self) -> None:
        """See link.Message."""
        self.acked = True
        self.link.send_pubacks()


class MqttLink:
    """One connection (link.Link), made by `connect`; nothing of it is left running after `close` or `drop`."""

    def __init__(self, options: Connect) -> None:
        self.session_present = False
        self.window = 0
        self.granted: Granted | None = None
        self._asked_expiry_s = options.session_expiry_s
        self._packet_limit = NO_LIMIT
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[LinkLost] = self._loop.create_future()
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._pubacks: dict[int, tuple[str, asyncio.Future[None]]] = {}  # with the topic that it was published on
        self._slots = asyncio.Semaphore(0)
        self._arrived: asyncio.Queue[Received | None] = asyncio.Queue()
        self._unacked: deque[Received] = deque()
        self._flood_limit = options.receive_maximum + FLOOD_MARGIN
        self._lasting = packed(of_publish())
        self._keeper: asyncio.Task[None] | None = None
        self._paho = client_for(options)
        self._pump = Pump(self._paho, self._broke)
        self._listen()

    # -- connecting ----------------------------------------------------------------------------------------------------

    @classmethod
    async def connect(cls, options: Connect) -> MqttLink:
        """Returns after CONNACK. Raises ConnectRefused, also for time-outs and whatever TCP or TLS says."""
        link = cls(options)
        where = f"{options.host}:{options.port}"
        try:
            async with asyncio.timeout(options.timeout_s):
                opened = await open_socket(options.host, options.port, options.tls, loopback_only=options.loopback_only)
                link._paho.opened = GatheringSocket(opened)
                link._start(options)
                await link._connack
        except BaseException as error:
            await link._dispose("given up while connecting")
            if isinstance(error, TimeoutError):  # before OSError, which it is
                raise ConnectRefused(f"{where} did not answer within {options.timeout_s:g} s") from None
            if isinstance(error, OSError | LinkLost | ValueError | OverflowError):  # the last two: no host, no port
                raise ConnectRefused(f"{where}: {english_of(error)}") from error
            raise
        return link

    def _listen(self) -> None:
        client = self._paho
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    def _start(self, options: Connect) -> None:
        say_connect(self._paho, options)
        self._keeper = self._loop.create_task(self._keep(), name=f"mqtt keepalive {options.client_id}")

    async def _keep(self) -> None:
        while not self._lost.done():
            await asyncio.sleep(PUMP_INTERVAL_S)
            self._pump.step(self._paho.loop_misc)

    # -- what callers do -----------------------------------------------------------------------------------------------

    @property
    def congested(self) -> bool:
        """See link.Link."""
        return self._pump.held_up  # what a turn of the loop has only gathered is on its way

    async def subscribe(self, *topics: str) -> None:
        """See link.Link."""
        # No "no local": a will of our own carries our own client id, and that death is what we must see (SES-3).
        result, mid = self._paho.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])
        if mid is None or result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._loss()
        granted = self._subacks[mid] = self._loop.create_future()
        for topic, reason in zip(topics, await granted, strict=False):
            if reason.value != 1:
                raise ConnectRefused(
                    f"the broker does not grant {topic} at QoS 1: {reason.getName()}", code=reason.value
                )

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, expiry_s: int | None = None
    ) -> None:
        """See link.Link."""
        await (await self.send(topic, payload, retain=retain, qos=qos, expiry_s=expiry_s))

    async def send(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, expiry_s: int | None = None
    ) -> asyncio.Future[None]:
        """See link.Link."""
        if len(topic) + len(payload) + PACKET_OVERHEAD > self._packet_limit:
            raise PublishRefused(topic, TOO_LARGE, 0x95)  # sent all the same it would end the connection, each time
        properties = self._lasting if expiry_s is None else of_publish(expiry_s)
        if qos > 0:
            await self._slots.acquire()
        if self._lost.done():
            self._slots.release()
            raise self._loss()
        info = self._paho.publish(topic, payload, qos, retain, properties)
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if qos > 0:
            self._pubacks[info.mid] = (topic, acknowledged)
        else:
            acknowledged.set_result(None)
        return acknowledged

    async def receive(self) -> Received:
        """See link.Link; one caller at a time."""
        message = None if self._lost.done() else await self._arrived.get()
        if message is None or self._lost.done():
            raise self._loss()
        if not self._pump.reading and self._arrived.qsize() < self._flood_limit // 2:
            self._pump.read(on=True)
        return message

    async def wait_lost(self) -> LinkLost:
        """See link.Link."""
        return await asyncio.shield(self._lost)

    async def close(self, *, forget: bool = False) -> None:
        """See link.Link. `forget`: the broker keeps no session of ours (a client that was only tried)."""
        if not self._lost.done():
            properties = properties_of(PacketTypes.DISCONNECT) if forget else None
            if properties is not None:
                properties.SessionExpiryInterval = 0
            self._paho.sock.gathers = False  # paho closes behind its goodbye, so that has to be taken by the system
            self._paho.disconnect(properties=properties)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await self.wait_lost()
        await self._dispose("closed")

    async def drop(self) -> None:
        """See link.Link."""
        await self._dispose("dropped")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- what the library calls, on the loop ---------------------------------------------------------------------------

    def _on_connect(
        self, client: Any, userdata: Any, flags: paho.ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(
                ConnectRefused(f"the broker refused the connection: {reason.getName()}", code=reason.value)
            )
            return
        self.session_present = flags.session_present
        told = self.granted = granted_by(properties, self._asked_expiry_s)
        self.window = min(told.receive_maximum, MAX_INFLIGHT)
        self._packet_limit = told.packet_bytes
        for _ in range(self.window):
            self._slots.release()
        self._connack.set_result(None)

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: paho.DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        who = "the broker ended the connection" if flags.is_disconnect_packet_from_server else "the connection was lost"
        self._end(LinkLost(f"{who}: {reason.getName()}", taken_over=reason.value == TAKEN_OVER, mqtt=reason.value))

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Any) -> None:
        granted = self._subacks.pop(mid, None)
        if granted is not None and not granted.done():
            granted.set_result(reasons)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        waiting = self._pubacks.pop(mid, None)
        if waiting is None:
            return  # QoS 0 is told as published too
        self._slots.release()  # only now: the broker counts it until here, whether or not somebody still waits
        topic, acknowledged = waiting
        if acknowledged.done():
            return
        if reason.value < FIRST_REFUSAL:
            acknowledged.set_result(None)
        else:
            _fail(acknowledged, PublishRefused(topic, reason.getName(), reason.value))

    def _on_message(self, client: Any, userdata: Any, raw: paho.MQTTMessage) -> None:
        message = Received(raw.topic, bytes(raw.payload), raw.retain, raw.mid, self)
        if raw.qos > 0:
            self._unacked.append(message)
        self._arrived.put_nowait(message)
        if self._arrived.qsize() >= self._flood_limit:
            self._pump.read(on=False)

    # -- inside --------------------------------------------------------------------------------------------------------

    def send_pubacks(self) -> None:
        """As many as are due, in order of arrival; none over a lost link, where they would mean another message."""
        while self._unacked and self._unacked[0].acked and not self._lost.done():
            self._paho.ack(self._unacked.popleft().mid, 1)

    def _broke(self, error: Exception) -> None:
        self._end(LinkLost(f"the broker sent what cannot be read: {error!r}"))

    def _end(self, loss: LinkLost) -> None:
        if self._lost.done():
            return
        log.debug("mqtt link ended: %s", loss)
        self._lost.set_result(loss)
        self._pump.over()
        pubacks = [acknowledged for _, acknowledged in self._pubacks.values()]
        answers: list[asyncio.Future[Any]] = [self._connack, *self._subacks.values(), *pubacks]
        for waiting in answers:
            if not waiting.done():
                _fail(waiting, self._loss())
        self._subacks.clear()
        self._pubacks.clear()
        self._slots.release()  # each publish that waits for a slot wakes the next one
        self._arrived.put_nowait(None)

    def _loss(self) -> LinkLost:
        # A fresh one for each: tracebacks must not grow on a shared error.
        told = self._lost.result() if self._lost.done() else LinkLost("not connected")
        return LinkLost(str(told), taken_over=told.taken_over, mqtt=told.mqtt)

    async def _dispose(self, why: str) -> None:
        self._end(LinkLost(why))
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))
        self._paho.on_disconnect = None
        self._pump.close()


def _fail(waiting: asyncio.Future[Any], error: Exception) -> None:
    waiting.set_exception(error)
    waiting.exception()  # whoever waits still gets it; where nobody does, that is no fault to be told
