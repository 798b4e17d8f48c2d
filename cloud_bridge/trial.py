"""The way to a broker tried step by step: name, TCP, TLS, CONNACK, its limits, SUBACK, one message round, its queue.

Knows what each step needs and what its failure is called; must not know how it is told, nor touch the branch's session.
It speaks under a client id of its own and leaves no session behind.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from cloud_bridge.envelope import MAX_PAYLOAD_BYTES
from cloud_bridge.link import SESSION_EXPIRY_S, Connect, ConnectRefused, Granted, LinkLost, PublishRefused
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.settings import LinkSettings
from cloud_bridge.sockets import open_socket
from cloud_bridge.topics import Topics
from cloud_bridge.trial_queue import kept_while_away

TCP_LIMIT_S = 5.0
ANSWER_LIMIT_S = 10.0
QUEUE_LIMIT_S = 20.0
QUEUE_MESSAGES = 1200  # a default mosquitto keeps 1,000 for a client that is away, and confirms the others, too
SUFFIX = "-doctor"
BIRTH_BYTES = 64 * 1024  # SES-2: a broker that takes less never hears that the branch is there
WINDOW_MIN = 10  # fewer publishes under way at once, and a backlog of a day takes hours over a slow WAN
NO_RIGHTS = frozenset({0x86, 0x87})  # MQTT 5 §2.4: bad user name or password; not authorized
NOT_MQTT_5 = frozenset({0x01, 0x84})  # unsupported protocol version, by 3.1.1 and by 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it went. `code` is stable; `places` belong into its sentence."""

    code: str
    good: bool = True
    grave: bool = True  # what is not good: it does not work at all; else it works worse
    places: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each kind of answer is waited for."""

    tcp_s: float = TCP_LIMIT_S
    answer_s: float = ANSWER_LIMIT_S
    queue_s: float = QUEUE_LIMIT_S


async def try_broker(settings: LinkSettings, topics: Topics, limits: Limits = Limits()) -> AsyncIterator[Step]:
    """Each step as it is done; ends with the first one without which the next cannot be."""
    host, port, where = settings.host, settings.port, f"{settings.host}:{settings.port}"
    try:
        async with asyncio.timeout(limits.tcp_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, TimeoutError) as error:
        yield _bad("broker_name", host=host, why=error)
        return
    yield Step(
        "broker_name_good", places={"host": host, "addresses": ", ".join(sorted({str(one[4][0]) for one in found}))}
    )
    options = _options(settings, limits)
    if isinstance(options, Step):
        yield options
        return
    for step in await _reached(options, where, limits):
        yield step
        if not step.good:
            return
    try:
        link = await MqttLink.connect(options)
    except ConnectRefused as refused:
        yield _refused(refused, where, settings.username)
        return
    try:
        async for step in _spoken(link, topics, where, limits):
            yield step
            if not step.good and step.grave:
                return
        yield await _queue(link, options, f"{topics.doctor}/queue", limits)
    finally:
        await link.close(forget=True)


def _options(settings: LinkSettings, limits: Limits) -> Connect | Step:
    try:
        tls = settings.tls()
    except (OSError, ValueError) as error:
        return _bad("broker_tls_files", file=settings.tls_ca, why=error)
    return Connect(
        settings.host,
        settings.port,
        settings.client_id + SUFFIX,
        settings.username,
        settings.password,
        tls,
        clean_start=True,
        session_expiry_s=SESSION_EXPIRY_S,
        receive_maximum=settings.receive_maximum,
        keepalive_s=settings.keepalive_s,
        timeout_s=limits.answer_s,
        loopback_only=True,
    )


async def _reached(options: Connect, where: str, limits: Limits) -> list[Step]:
    """TCP, and TLS where it is configured; the last step says how far it came."""
    steps: list[Step] = []
    for code, tls in (("broker_tcp", None), ("broker_tls", options.tls)):
        if code == "broker_tls" and tls is None:
            continue
        try:
            async with asyncio.timeout(limits.tcp_s):
                sock = await open_socket(options.host, options.port, tls, loopback_only=options.loopback_only)
            sock.close()
        except TimeoutError:
            return [*steps, _bad(f"{code}_silent", where=where, seconds=limits.tcp_s)]
        except (OSError, ValueError) as error:
            return [*steps, _bad(code, where=where, why=error)]
        steps.append(Step(f"{code}_good", places={"where": where}))
    return steps


async def _spoken(link: MqttLink, topics: Topics, where: str, limits: Limits) -> AsyncIterator[Step]:
    yield Step("broker_connack_good", places={"where": where})
    if link.granted is not None:
        for step in _limits(link.granted):
            yield step
    try:
        async with asyncio.timeout(limits.answer_s):
            for topic in (topics.instructions, topics.session, topics.doctor):
                try:
                    await link.subscribe(topic)
                except ConnectRefused as refused:
                    yield _bad("broker_suback", topic=topic, why=refused)
                    return
        yield Step("broker_suback_good", places={"count": 3})
    except TimeoutError:
        yield _bad("broker_suback_silent", seconds=limits.answer_s)
        return
    except LinkLost as lost:
        yield _bad("broker_lost", why=lost)
        return
    yield await _round(link, topics.doctor, limits)


async def _round(link: MqttLink, topic: str, limits: Limits) -> Step:
    nonce = uuid.uuid4().bytes
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        async with asyncio.timeout(limits.answer_s):
            await link.publish(topic, nonce, expiry_s=60)
            while True:
                message = await link.receive()
                if message.topic == topic and message.payload == nonce:
                    message.ack()
                    return Step("broker_round_good", places={"ms": round((loop.time() - began_s) * 1000)})
    except TimeoutError:
        return _bad("broker_round", topic=topic, seconds=limits.answer_s)
    except PublishRefused as refused:
        return _bad("broker_publish", topic=topic, why=refused)
    except LinkLost as lost:
        return _bad("broker_lost", why=lost)


async def _queue(link: MqttLink, options: Connect, topic: str, limits: Limits) -> Step:
    try:
        told = await kept_while_away(link, options, topic, QUEUE_MESSAGES, limits.queue_s)
    except (ConnectRefused, PublishRefused) as refused:
        return _worse("broker_queue_unknown", why=refused)
    except LinkLost as lost:
        return _bad("broker_lost", why=lost)
    except TimeoutError:
        return _worse("broker_queue_slow", count=0, seconds=limits.queue_s)
    if told.kept < told.confirmed:
        return _bad("broker_queue", sent=told.confirmed, kept=told.kept)
    if told.confirmed < told.sent:
        return _worse("broker_queue_slow", count=told.confirmed, seconds=limits.queue_s)
    return Step("broker_queue_good", places={"count": told.kept})


def _limits(granted: Granted) -> list[Step]:
    """What SES-1 and what follows ask of a broker, as far as CONNACK tells it; the length of its queues it does not."""
    found: list[Step] = []
    if not granted.retained:
        found.append(_bad("broker_no_retained"))
    if granted.qos < 1:
        found.append(_bad("broker_no_qos1"))
    if granted.packet_bytes < BIRTH_BYTES:
        found.append(_bad("broker_small_packets", bytes=granted.packet_bytes, needed=MAX_PAYLOAD_BYTES))
    elif granted.packet_bytes < MAX_PAYLOAD_BYTES:
        found.append(_worse("broker_packets", bytes=granted.packet_bytes, needed=MAX_PAYLOAD_BYTES))
    if granted.session_expiry_s < SESSION_EXPIRY_S:
        found.append(_bad("broker_short_session", seconds=granted.session_expiry_s, needed=SESSION_EXPIRY_S))
    if granted.receive_maximum < WINDOW_MIN:
        found.append(_worse("broker_small_window", count=granted.receive_maximum))
    return found or [Step("broker_limits_good", places={"count": granted.receive_maximum})]


def _refused(refused: ConnectRefused, where: str, username: str | None) -> Step:
    if refused.code in NO_RIGHTS:
        return _bad("broker_rights", where=where, user=username or "-", why=refused)
    if refused.code in NOT_MQTT_5:
        return _bad("broker_version", where=where)
    return _bad("broker_connack" if refused.code else "broker_silent", where=where, why=refused)


def _bad(code: str, **places: object) -> Step:
    return Step(code, good=False, places=places)


def _worse(code: str, **places: object) -> Step:
    return Step(code, good=False, grave=False, places=places)
