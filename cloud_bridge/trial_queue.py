"""How many messages a broker keeps for a client that is away: SES-1 needs to know, and no broker tells.

A second client asks for a session that waits and leaves; messages go to its topic; it comes back and counts. Knows the
counting alone; what is too few, and how that is told, is the trial's.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass, replace

from cloud_bridge.link import Connect, ConnectRefused
from cloud_bridge.mqtt_link import MqttLink

SUFFIX = "-away"
WAITS_S = 300  # should we be killed in between, session and messages are gone after this
QUIET_S = 1.0  # nothing came for so long: either all is here, or the way is slow; the end mark tells which
MARKS = 10  # a full queue drops the mark, too
AT_ONCE = 20
_END = b"end"


@dataclass(frozen=True, slots=True)
class Kept:
    """`confirmed` of the `sent` messages were acknowledged; `kept` of those came to the client that had been away."""

    sent: int
    confirmed: int
    kept: int


async def kept_while_away(link: MqttLink, options: Connect, topic: str, count: int, patience_s: float) -> Kept:
    """`link` sends `count` small messages, in at most `patience_s`; less than all are confirmed on a slow way.

    Raises ConnectRefused, PublishRefused, LinkLost, and TimeoutError when the broker stops answering.
    """
    waits = replace(options, client_id=options.client_id + SUFFIX, clean_start=True, session_expiry_s=WAITS_S)
    async with await MqttLink.connect(waits) as away, asyncio.timeout(options.timeout_s):
        await away.subscribe(topic)
    try:
        confirmed = await _send(link, topic, count, patience_s)
        async with await MqttLink.connect(replace(waits, clean_start=False)) as back:
            return Kept(count, len(confirmed), await _count(back, link, topic, confirmed))
    finally:
        with contextlib.suppress(ConnectRefused):  # then it is forgotten by its time
            await (await MqttLink.connect(waits)).close(forget=True)


async def _send(link: MqttLink, topic: str, count: int, patience_s: float) -> set[bytes]:
    """What the broker confirmed within that time."""
    run, numbers = uuid.uuid4().bytes, iter(range(count))
    confirmed: set[bytes] = set()

    async def work() -> None:
        for number in numbers:
            payload = run + number.to_bytes(4)
            await link.publish(topic, payload, expiry_s=WAITS_S)
            confirmed.add(payload)

    workers = [asyncio.create_task(work(), name="queue trial") for _ in range(AT_ONCE)]
    try:
        done, _ = await asyncio.wait(workers, timeout=patience_s, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
    for worker in done:
        worker.result()
    return confirmed


async def _count(back: MqttLink, link: MqttLink, topic: str, confirmed: set[bytes]) -> int:
    """An end mark goes behind all that waited, so that what has not come before it never comes."""
    missing, marks = set(confirmed), 0
    while missing:
        try:
            async with asyncio.timeout(QUIET_S):
                message = await back.receive()
        except TimeoutError:
            if marks == MARKS:
                raise
            marks += 1
            await link.publish(topic, _END, expiry_s=WAITS_S)
            continue
        message.ack()
        if message.payload == _END:
            break
        missing.discard(message.payload)
    return len(confirmed) - len(missing)
