from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_bridge.link import Connect, ConnectRefused, LinkLost, PublishRefused, Will
from cloud_bridge.mqtt_link import MAX_PACKET_BYTES, MqttLink
from tests.broker import Broker, broker, free_port

pytestmark = pytest.mark.process
__all__ = ["broker"]


def options(broker: Broker, client_id: str = "branch", **changes: object) -> Connect:
    return replace(Connect(broker.host, broker.port, client_id), **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def linked(broker: Broker, client_id: str = "branch", **changes: object) -> AsyncIterator[MqttLink]:
    link = await MqttLink.connect(options(broker, client_id, **changes))
    try:
        yield link
    finally:
        await link.drop()


async def send(broker: Broker, topic: str, *payloads: bytes, retain: bool = False) -> None:
    async with linked(broker, "sender", clean_start=True) as sender:
        for payload in payloads:
            await sender.publish(topic, payload, retain=retain)
        await sender.close()


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
        assert (await link.receive()).payload == b"two"


@pytest.mark.rule("INS-2")
async def test_pubacks_leave_in_order_of_arrival(broker: Broker) -> None:
    async with linked(broker) as link:
        await link.subscribe("t")
        await send(broker, "t", b"1", b"2", b"3")
        one, two, three = [await link.receive() for _ in range(3)]
        three.ack()
        two.ack()
        await asyncio.sleep(0.05)
        acked = broker.log.count("Received PUBACK from branch")
        assert acked == 0, "the first one is not safe yet, so nothing after it may be acknowledged"
        one.ack()
        await link.close()
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
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await link.receive()
        held[0].ack()
        assert (await link.receive()).payload == b"3"
