from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from cloud_bridge.link import Connect, ConnectRefused, LinkLost, PublishRefused, Will
from cloud_bridge.mqtt_client import MAX_PACKET_BYTES
from cloud_bridge.mqtt_link import MqttLink
from tests.broker import Broker, broker
from tests.cloud_bridge.paper_branch import until
from tests.ports import free_port

pytestmark = pytest.mark.process
__all__ = ["broker"]


def options(broker: Broker, client_id: str = "branch", **changes: Any) -> Connect:
    return replace(Connect(broker.host, broker.port, client_id), **changes)


@asynccontextmanager
async def linked(broker: Broker, client_id: str = "branch", **changes: Any) -> AsyncIterator[MqttLink]:
    link = await MqttLink.connect(options(broker, client_id, **changes))
    try:
        yield link
    finally:
        await link.drop()


async def send(broker: Broker, topic: str, *payloads: bytes, retain: bool = False, qos: int = 1) -> None:
    async with linked(broker, "sender", clean_start=True) as sender:
        for payload in payloads:
            await sender.publish(topic, payload, retain=retain, qos=qos)
        await sender.close()


async def soon(link: MqttLink, limit_s: float = 30.0) -> bytes:
    async with asyncio.timeout(limit_s):
        return (await link.receive()).payload


# -- down --------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-2")
async def test_a_message_stays_with_the_broker_until_it_is_acknowledged(broker: Broker) -> None:
    async with linked(broker) as link:
        await link.subscribe("t")
        await send(broker, "t", b"one", b"two")
        first = await link.receive()
        assert (first.payload, (await link.receive()).payload) == (b"one", b"two")
        first.ack()
        await link.close()
    async with linked(broker) as link:
        assert link.session_present
        assert await soon(link) == b"two"


@pytest.mark.rule("INS-2")
async def test_pubacks_leave_in_order_of_arrival(broker: Broker) -> None:
    async with linked(broker) as link:
        await link.subscribe("t")
        await send(broker, "t", b"1", b"2", b"3")
        one, two, three = [await link.receive() for _ in range(3)]
        three.ack()
        two.ack()
        await link.publish("other", b"a round trip")
        assert "PUBACK from branch" not in broker.log, "the first one is not safe yet, so nothing may be acknowledged"
        one.ack()
        await link.close()
    await until(lambda: broker.log.count("PUBACK from branch") >= 3)
    mids = [line.split("(Mid: ")[1].split(",")[0] for line in broker.log.splitlines() if "PUBACK from branch" in line]
    sent = [line.split(", m")[1].split(",")[0] for line in broker.log.splitlines() if "PUBLISH to branch" in line]
    assert mids == sent
    assert len(mids) == 3


@pytest.mark.rule("INS-7")
async def test_the_broker_keeps_what_exceeds_receive_maximum(broker: Broker) -> None:
    async with linked(broker, receive_maximum=3) as link:
        await link.subscribe("t")
        await send(broker, "t", *(b"%d" % n for n in range(10)))
        held = [await link.receive() for _ in range(3)]
        await link.publish("other", b"a round trip")
        assert link._arrived.empty()
        for message in held:
            message.ack()
        for n in range(3, 10):
            message = await link.receive()
            assert message.payload == b"%d" % n
            message.ack()


@pytest.mark.rule("INS-7")
async def test_a_flood_outside_receive_maximum_leaves_the_socket_unread_instead_of_filling_memory(
    broker: Broker,
) -> None:
    async with linked(broker, receive_maximum=1) as link:
        await link.subscribe("t")
        # A broker may drop what a slow reader leaves at QoS 0, so how many arrive is not the point.
        await send(broker, "t", *(b"x" * 1000 for _ in range(1000)), qos=0)
        async with asyncio.timeout(30):
            while link._pump.reading:  # noqa: ASYNC110 - the link's inside offers no event for it
                await asyncio.sleep(0.01)
        assert link._arrived.qsize() <= link._flood_limit + 1
        assert link._flood_limit + 1 < 80, "more than may lie here: so it was read on"
        assert [await soon(link) for _ in range(80)] == [b"x" * 1000] * 80


async def test_a_retained_message_says_so(broker: Broker) -> None:
    await send(broker, "t", b"kept", retain=True)
    async with linked(broker) as link:
        await link.subscribe("t")
        message = await link.receive()
        assert (message.topic, message.payload, message.retained) == ("t", b"kept", True)
        await send(broker, "t", b"live", retain=True)
        message = await link.receive()
        assert (message.payload, message.retained) == (b"live", False)


async def test_any_bytes_arrive_unchanged_and_giants_stay_with_the_broker(broker: Broker) -> None:
    async with linked(broker) as link:
        await link.subscribe("t")
        large = b"\xff" * 300_000
        await send(broker, "t", b"", b"\x00\xff{", large, b"y" * (MAX_PACKET_BYTES + 10), b"after")
        assert [await soon(link) for _ in range(4)] == [b"", b"\x00\xff{", large, b"after"]


@pytest.mark.rule("INS-2")
async def test_an_ack_over_a_lost_link_does_nothing(broker: Broker) -> None:
    async with linked(broker) as link:
        await link.subscribe("t")
        await send(broker, "t", b"1")
        message = await link.receive()
        await link.drop()
        message.ack()
    async with linked(broker) as link:
        assert await soon(link) == b"1"


# -- up ----------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("OUT-3")
async def test_publishes_made_at_once_arrive_in_order_beyond_the_brokers_window(broker: Broker) -> None:
    async with linked(broker) as link, linked(broker, "reader", receive_maximum=65535) as reader:
        await reader.subscribe("t")
        assert link.window == 20, "mosquitto's own Receive Maximum"
        await asyncio.gather(*(link.publish("t", b"%d" % n) for n in range(500)))
        for n in range(500):
            message = await reader.receive()
            assert message.payload == b"%d" % n
            message.ack()


@pytest.mark.rule("OUT-2")
async def test_a_refused_publish_is_an_error_with_the_brokers_reason(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read #\ntopic write allowed\n")
    with Broker(tmp_path, extra=f"acl_file {tmp_path / 'acl'}\n") as broker:
        async with linked(broker) as link:
            with pytest.raises(PublishRefused, match="Not authorized") as caught:
                await link.publish("forbidden", b"x")
            assert caught.value.reason == "Not authorized"
            await link.publish("allowed", b"x")


@pytest.mark.rule("OUT-2")
async def test_several_are_sent_by_one_and_each_has_its_own_puback(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic readwrite t\ntopic read forbidden\n")
    with Broker(tmp_path, extra=f"acl_file {tmp_path / 'acl'}\n") as broker:
        async with linked(broker) as link:
            await link.subscribe("t")
            pubacks = [await link.send(topic, topic.encode()) for topic in ("t", "forbidden", "t")]
            await pubacks[2]
            assert [puback.exception() is None for puback in pubacks] == [True, False, True]
            assert [await soon(link) for _ in range(2)] == [b"t", b"t"]
            broker.freeze()
            pubacks = [await link.send("t", b"x") for _ in range(3)]
            await link.drop()
            assert all(isinstance(puback.exception(), LinkLost) for puback in pubacks)
            broker.thaw()


@pytest.mark.rule("OUT-2")
async def test_what_is_too_large_for_the_broker_is_refused_before_it_ends_the_connection(tmp_path: Path) -> None:
    with Broker(tmp_path, extra="max_packet_size 2000\n") as broker:
        async with linked(broker) as link:
            with pytest.raises(PublishRefused, match="Packet too large"):
                await link.publish("t", b"x" * 2000)
            await link.publish("t", b"x" * 1900)


@pytest.mark.rule("OUT-2")
async def test_a_killed_broker_ends_waiting_publishes_at_once(broker: Broker) -> None:
    async with linked(broker) as link:
        broker.freeze()
        waiting = [asyncio.ensure_future(link.publish("t", b"%d" % n)) for n in range(50)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        broker.kill()
        async with asyncio.timeout(30):
            ends = await asyncio.gather(*waiting, return_exceptions=True)
            loss = await link.wait_lost()
        assert all(isinstance(end, LinkLost) for end in ends)
        assert not loss.taken_over
        with pytest.raises(LinkLost):
            await link.publish("t", b"later")
        with pytest.raises(LinkLost):
            await link.receive()


async def test_a_cancelled_publish_gives_its_place_back_only_with_the_puback(broker: Broker) -> None:
    async with linked(broker) as link:
        broker.freeze()
        waiting = [asyncio.ensure_future(link.publish("t", b"x")) for _ in range(link.window)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        next_one = asyncio.ensure_future(link.publish("t", b"next"))
        await asyncio.sleep(0.05)
        assert link._slots.locked()
        broker.thaw()
        async with asyncio.timeout(30):
            await next_one


async def test_a_frozen_broker_is_noticed_by_the_keepalive(broker: Broker) -> None:
    async with linked(broker, keepalive_s=1) as link:
        broker.freeze()
        async with asyncio.timeout(30):
            assert "Keep alive" in str(await link.wait_lost())


# -- connecting and leaving --------------------------------------------------------------------------------------------


async def test_nobody_there_is_a_refusal_that_names_the_address() -> None:
    port = free_port()
    with pytest.raises(ConnectRefused, match=f"127.0.0.1:{port}: .*refused"):
        await MqttLink.connect(Connect("127.0.0.1", port, "x"))


@pytest.mark.parametrize(
    ("host", "port"), [("a..b", 1), ("x" * 70, 1), ("127.0.0.1", 70_000), ("127.0.0.1", 0), ("", -1)]
)
async def test_what_is_no_address_is_a_refusal_too(host: str, port: int) -> None:
    with pytest.raises(ConnectRefused):
        await MqttLink.connect(Connect(host, port, "x"))


async def test_a_listener_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ConnectRefused, match="did not answer within"):
        await MqttLink.connect(Connect("127.0.0.1", server.getsockname()[1], "x", timeout_s=0.1))


@pytest.mark.parametrize(
    "rubbish", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x00", b"\x20\x03\x00\x00\x09", b"\xff" * 9]
)
async def test_a_listener_that_speaks_something_else_is_refused_or_given_up(rubbish: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(rubbish)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectRefused):
            await MqttLink.connect(Connect("127.0.0.1", server.sockets[0].getsockname()[1], "x", timeout_s=0.3))


async def test_a_wrong_password_is_told_and_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Broker(tmp_path, anonymous=False) as broker:
        said = options(broker, username="b1", password="hunter2")
        with pytest.raises(ConnectRefused, match="Not authorized") as caught:
            await MqttLink.connect(said)
    assert "hunter2" not in repr(said) + str(caught.value) + caplog.text


@pytest.mark.rule("SES-4")
async def test_a_subscription_that_is_not_granted_refuses_the_connection(tmp_path: Path) -> None:
    with Broker(tmp_path, extra="max_qos 0\n") as broker:
        async with linked(broker) as link:
            with pytest.raises(ConnectRefused, match="does not grant t at QoS 1"):
                await link.subscribe("t")


@pytest.mark.rule("SES-1")
async def test_the_session_outlives_the_connection_and_its_absence_is_told(broker: Broker) -> None:
    async with linked(broker) as link:
        assert not link.session_present
        await link.subscribe("t")
        await link.close()
    broker.restart()
    async with linked(broker) as link:
        assert link.session_present
    broker.stop()
    broker.wipe()
    broker.start()
    async with linked(broker) as link:
        assert not link.session_present


async def test_the_loser_of_a_client_id_notices_at_once(broker: Broker) -> None:
    async with linked(broker) as first, linked(broker), asyncio.timeout(30):
        await first.wait_lost()


async def test_a_disconnect_of_the_broker_is_told_with_its_reason() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("20 03 00 00 00"))  # CONNACK
        writer.write(bytes.fromhex("e0 02 8e 00"))  # DISCONNECT, session taken over
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        link = await MqttLink.connect(Connect("127.0.0.1", server.sockets[0].getsockname()[1], "x"))
        loss = await link.wait_lost()
        await link.drop()
    assert loss.taken_over
    assert "Session taken over" in str(loss)


@pytest.mark.rule("SES-3")
async def test_the_will_speaks_after_a_drop_and_not_after_a_goodbye(broker: Broker) -> None:
    async with linked(broker, "watcher") as watcher:
        await watcher.subscribe("s")
        async with linked(broker, will=Will("s", b"died 1", delay_s=0)) as link:
            await link.drop()
        assert await soon(watcher) == b"died 1"
        async with linked(broker, will=Will("s", b"died 2", delay_s=0)) as link:
            await link.publish("s", b"bye")
            await link.close()
        assert await soon(watcher) == b"bye"
        await send(broker, "s", b"last")
        assert await soon(watcher) == b"last", "no will came between"


@pytest.mark.rule("SES-3")
async def test_the_own_will_of_the_session_before_is_seen_on_the_own_topic(broker: Broker) -> None:
    async with linked(broker, will=Will("s", b"died 1", delay_s=0)) as link:
        await link.drop()
    async with linked(broker) as link:
        await link.subscribe("s")
        message = await link.receive()
        assert (message.payload, message.retained) == (b"died 1", True)


async def test_small_packets_leave_at_once(broker: Broker) -> None:
    async with linked(broker) as link:
        assert link._paho.sock.inner.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_nothing_is_left_running(broker: Broker) -> None:
    threads = threading.active_count()
    for end in ("close", "drop"):
        link = await MqttLink.connect(options(broker))
        await link.subscribe("t")
        await getattr(link, end)()
        await getattr(link, end)()
    with pytest.raises(ConnectRefused):
        await MqttLink.connect(options(broker, port=free_port()))
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert threading.active_count() <= threads + 1, "asyncio's own resolver thread, no other"


async def test_cancelling_a_connect_leaves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connecting = asyncio.ensure_future(MqttLink.connect(Connect("127.0.0.1", server.getsockname()[1], "x")))
        await asyncio.sleep(0.05)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def certified(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1, made by openssl."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    making = await asyncio.create_subprocess_exec(
        *command, "-keyout", str(key), "-out", str(certificate), stderr=asyncio.subprocess.DEVNULL
    )
    assert await making.wait() == 0
    return key, certificate


with_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")


@with_openssl
async def test_tls_carries_large_messages_and_refuses_a_stranger(tmp_path: Path) -> None:
    key, certificate = await certified(tmp_path)
    with Broker(tmp_path, extra=f"certfile {certificate}\nkeyfile {key}\n") as broker:
        trusted = ssl.create_default_context(cafile=str(certificate))
        async with linked(broker, tls=trusted, receive_maximum=1000) as link:
            await link.subscribe("t")
            for size in (1, 40_000, 300_000):
                await link.publish("t", b"x" * size)
                assert await soon(link) == b"x" * size
            many = [b"%d" % n * 300 for n in range(200)]
            await asyncio.gather(*(link.publish("t", payload) for payload in many))
            assert [await soon(link) for _ in many] == many
            await link.close()
        with pytest.raises(ConnectRefused, match="certificate"):
            await MqttLink.connect(options(broker, tls=ssl.create_default_context()))


# -- what passes between paho and the system ---------------------------------------------------------------------------

CONNACK, PUBLISHED = bytes.fromhex("20 03 00 00 00"), bytes.fromhex("32 08 00 01 74 00")  # PUBLISH at QoS 1 on "t": …


class Counted:
    """A link's socket whose calls are counted; `room` bytes are taken before it is full."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reads = self.writes = 0
        self.room = 1 << 30

    def recv(self, size: int) -> bytes:
        self.reads += 1
        return self.sock.recv(size)

    def send(self, data: bytes | bytearray) -> int:
        self.writes += 1
        if not self.room:
            raise BlockingIOError
        taken = self.sock.send(data[: self.room])
        self.room -= taken
        return taken

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self) -> None:
        self.sock.close()


@dataclass
class FarEnd:
    """A broker of bytes: it writes what the test says, and keeps what it hears."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def hears(self, count: int) -> bytes:
        async with asyncio.timeout(30):
            return await self.reader.readexactly(count)

    async def hears_all(self) -> bytes:
        async with asyncio.timeout(30):
            return await self.reader.read()


@asynccontextmanager
async def at_far_end() -> AsyncIterator[tuple[MqttLink, FarEnd, Counted]]:
    """A link whose CONNECT was heard and answered."""
    came: asyncio.Future[FarEnd] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(2)
        await reader.readexactly(head[1])
        writer.write(CONNACK)
        came.set_result(FarEnd(reader, writer))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        link = await MqttLink.connect(Connect("127.0.0.1", server.sockets[0].getsockname()[1], "x", keepalive_s=3600))
        far = await came
        counted = Counted(link._paho.sock.inner)
        link._paho.sock.inner = cast("socket.socket", counted)
        try:
            yield link, far, counted
        finally:
            await link.drop()
            far.writer.close()


def published(mid: int) -> bytes:
    return PUBLISHED + bytes([mid]) + b"\x00hi"


def puback(mid: int) -> bytes:
    return bytes([0x40, 2, 0, mid])


async def test_packets_that_came_together_take_one_read_and_their_pubacks_one_write() -> None:
    async with at_far_end() as (link, far, counted):
        far.writer.write(b"".join(published(mid) for mid in range(1, 9)))
        messages = [await link.receive() for _ in range(8)]
        assert (counted.reads, counted.writes) == (1, 0), "and nothing was acknowledged by itself"
        for message in messages:
            message.ack()
        assert counted.writes == 0, "a turn of the loop later"
        assert await far.hears(8 * 4) == b"".join(puback(mid) for mid in range(1, 9))
        assert counted.writes == 1


@pytest.mark.rule("INS-7")
async def test_what_was_read_before_a_pause_is_heard_after_it_although_nothing_more_comes() -> None:
    async with at_far_end() as (link, far, counted):
        count = link._flood_limit + 20
        far.writer.write(bytes.fromhex("30 06 00 01 74 00 68 69") * count)
        first = await link.receive()
        assert (first.payload, counted.reads, link._pump.reading) == (b"hi", 1, False)
        assert [await soon(link) for _ in range(count - 1)] == [b"hi"] * (count - 1)


async def test_a_packet_that_comes_byte_by_byte_is_one_message() -> None:
    async with at_far_end() as (link, far, _):
        for byte in published(1) + published(2)[:-1]:
            far.writer.write(bytes([byte]))
            await far.writer.drain()
            await asyncio.sleep(0)
        assert await soon(link) == b"hi"
        assert link._arrived.empty()
        far.writer.write(published(2)[-1:])
        assert await soon(link) == b"hi"


@pytest.mark.rule("INS-2")
async def test_no_puback_leaves_before_its_message_is_safe_whatever_is_written_meanwhile() -> None:
    async with at_far_end() as (link, far, _):
        far.writer.write(published(1) + published(2) + published(3))
        one, two, three = [await link.receive() for _ in range(3)]
        three.ack()
        telling = asyncio.ensure_future(link.publish("u", b"told"))
        told = await far.hears(2)
        assert told[0] == 0x32
        assert (await far.hears(told[1])).endswith(b"told")
        two.ack()
        one.ack()
        assert await far.hears(3 * 4) == puback(1) + puback(2) + puback(3)
        far.writer.write(puback(1))
        await telling


async def test_what_only_waits_for_its_turn_is_no_congestion(broker: Broker) -> None:
    """Readings look at it before each: they would go one a second."""
    async with await MqttLink.connect(options(broker)) as link:
        for _ in range(5):
            await link.publish("branchgate/v1/B1/readings/door-1", b"{}", qos=0)
            assert not link.congested


async def test_what_the_system_takes_piece_by_piece_arrives_whole_and_in_order() -> None:
    async with at_far_end() as (link, far, counted):
        counted.room = 10
        waiting = [asyncio.ensure_future(link.publish("t", b"%d" % n * 50)) for n in range(9)]
        assert await far.hears(10)
        await asyncio.sleep(0)
        assert link.congested
        counted.room = 17
        assert await far.hears(17)
        await asyncio.sleep(0)
        assert link.congested
        counted.room = 1 << 30
        heard = b""
        while not heard.endswith(b"8" * 50):
            heard += await far.hears(1)
        places = [heard.find(b"%d" % n * 50) for n in range(1, 9)]
        assert places == sorted(places)
        assert not link._paho.sock.unsent
        assert not asyncio.get_running_loop().remove_writer(link._paho.sock), "else it would turn for ever"
        far.writer.write(b"".join(puback(mid) for mid in range(1, 10)))
        await asyncio.gather(*waiting)


async def test_a_goodbye_leaves_behind_all_that_was_published_although_the_way_was_full() -> None:
    async with at_far_end() as (link, far, counted):
        counted.room = 10
        waiting = asyncio.ensure_future(link.publish("t", b"x" * 100))
        await far.hears(10)
        closing = asyncio.ensure_future(link.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        counted.room = 1 << 30
        assert (await far.hears_all()).endswith(b"x" * 100 + bytes.fromhex("e0 00"))
        await closing
        with pytest.raises(LinkLost):
            await waiting


async def test_a_line_that_breaks_in_writing_ends_the_link_at_once() -> None:
    async with at_far_end() as (link, _, counted):
        waiting = asyncio.ensure_future(link.publish("t", b"x"))

        def broken(_: object) -> int:
            raise ConnectionResetError(104, "reset")

        counted.send = broken  # type: ignore[assignment, method-assign]
        async with asyncio.timeout(30):
            with pytest.raises(LinkLost, match="the connection was lost"):
                await waiting
            await link.wait_lost()


async def test_what_came_before_the_end_is_heard_before_it() -> None:
    async with at_far_end() as (link, far, _):
        far.writer.write(published(1) + published(2))
        far.writer.close()
        async with asyncio.timeout(30):
            await link.wait_lost()
        came = [link._arrived.get_nowait() for _ in range(3)]
        assert [message and message.payload for message in came] == [b"hi", b"hi", None]


@pytest.mark.rule("OUT-2")
@pytest.mark.parametrize(
    ("answer", "refused"),
    [("40 02 00 01", ""), ("40 03 00 01 10", ""), ("40 04 00 01 00 00", ""), ("40 03 00 01 97", "Quota exceeded")],
)
async def test_a_puback_counts_whether_or_not_it_gives_a_reason(answer: str, refused: str) -> None:
    async with at_far_end() as (link, far, _):
        publishing = asyncio.ensure_future(link.publish("t", b"x"))
        await far.hears(2)
        far.writer.write(bytes.fromhex("40 02 03 09") + bytes.fromhex(answer))  # the first is of no publish of ours
        if refused:
            with pytest.raises(PublishRefused, match=refused):
                await publishing
        else:
            await publishing
        assert len(link._paho._out_messages) == 0
        far.writer.write(bytes.fromhex(answer))
        again = asyncio.ensure_future(link.publish("t", b"x"))
        await asyncio.sleep(0.01)
        assert not again.done(), "the number that came twice is no longer under way"
        far.writer.write(bytes.fromhex("40 02 00 02"))
        await again


async def test_half_a_puback_ends_the_link() -> None:
    async with at_far_end() as (link, far, _):
        publishing = asyncio.ensure_future(link.publish("t", b"x"))
        await far.hears(2)
        far.writer.write(bytes.fromhex("40 01 00"))
        with pytest.raises(LinkLost):
            await publishing
