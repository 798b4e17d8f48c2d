"""A central scheduler as a test needs it: submits, re-sends until answered, and keeps every byte that a branch says.

Knows the contract's envelopes by its own copy and one MQTT client; must not use the models of what is judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

Json = dict[str, Any]
ROOT = "branchgate/v1"
ENDS = frozenset({"completed", "partly_completed", "failed", "cancelled", "expired"})
SETTLED = ENDS | {"needs_attention"}
RESEND_S = 1.0  # INS-9: the same id again until it is answered
REACH_S = 180.0  # a generous end of waiting, for a box with twenty times its load; no verdict depends on its speed


class Heard:
    """What one branch said, in order of arrival, repeats included."""

    def __init__(self, file: Path) -> None:
        self.events: list[Json] = []
        self.replies: list[Json] = []
        self.sessions: list[Json] = []
        self.twins: list[Json] = []
        self.readings: list[Json] = []
        self.orders: dict[str, Json] = {}  # data of the newest order.changed
        self.steps: dict[tuple[str, str], Json] = {}
        self._highest: dict[str, int] = {}
        self._seen: set[str] = set()
        self._file = file
        self.news = asyncio.Event()

    def take(self, noun: str, message: Json) -> None:
        getattr(self, noun).append(message)
        if noun == "events":
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(message, ensure_ascii=False) + "\n")
            self._follow(message)
        self.news.set()

    def _follow(self, event: Json) -> None:
        data = event["data"]
        if event["id"] in self._seen:
            return
        self._seen.add(event["id"])
        self._highest[data["journal"]] = max(self._highest.get(data["journal"], 0), data["seq"])
        if event["type"] == "branchgate.order.changed.v1":
            self.orders[data["order"]] = data
        elif event["type"] == "branchgate.step.changed.v1":
            self.steps[data["order"], data["step"]] = data

    def state(self, order: str) -> str:
        """The order's newest state; empty while unheard of."""
        return str(self.orders.get(order, {}).get("to", ""))

    def has(self, journal: str, seq: int) -> bool:
        """Whether everything up to `seq` of this journal is here."""
        return all(f"{journal}-{n}" in self._seen for n in range(1, seq + 1))

    def missing(self, journal: str, seq: int) -> list[int]:
        return [n for n in range(1, seq + 1) if f"{journal}-{n}" not in self._seen]

    def reply(self, instruction: str) -> Json | None:
        return next((r["data"] for r in self.replies if r["data"]["instruction"] == instruction), None)

    async def until(self, true: Callable[[], bool], what: str, timeout_s: float = REACH_S) -> None:
        """Returns once `true()`; looks after each message. Raises AssertionError naming `what`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not true():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            tail = "\n".join(json.dumps(e["data"], ensure_ascii=False) for e in self.events[-12:])
            raise AssertionError(f"not within {timeout_s:g} s: {what}; last events:\n{tail}") from None


class Scheduler:
    """One client for all branches of a broker; its session outlives broken connections."""

    def __init__(self, port: int, folder: Path, name: str = "tests") -> None:
        self._folder = folder
        self._port = port
        self.name = name
        self.branches: defaultdict[str, Heard] = defaultdict(self._new_branch)
        self._names: list[str] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"scheduler-{name}", protocol=paho.MQTTv5, reconnect_on_failure=True
        )
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda _c, _u, _mid, _codes, _properties: self._call(self.ready.set)
        self._client.on_disconnect = lambda _c, _u, _flags, _code, _properties: self._call(self.ready.clear)
        self._client.on_message = lambda _c, _u, message: self._call(self._heard, message.topic, bytes(message.payload))
        self._client.reconnect_delay_set(1, 1)
        self._client.max_queued_messages_set(0)

    def _new_branch(self) -> Heard:
        return Heard(self._folder / f"events-{len(self.branches)}.jsonl")

    def _call(self, do: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the test's loop is closed: nobody wants to hear it any more
            self._loop.call_soon_threadsafe(do, *args)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self.ready = asyncio.Event()
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        self._client.connect_async("127.0.0.1", self._port, keepalive=30, clean_start=False, properties=properties)
        self._client.loop_start()
        async with asyncio.timeout(REACH_S):
            await self.ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe(
            [(f"{ROOT}/+/{noun}", 1) for noun in ("events", "replies", "session", "devices/+", "readings/+")]
        )

    def _heard(self, topic: str, payload: bytes) -> None:
        _, branch, noun = topic.removeprefix(ROOT).split("/", 2)
        noun = {"session": "sessions", "devices": "twins"}.get(kind := noun.partition("/")[0], kind)
        if payload:
            self.branches[branch].take(noun, json.loads(payload))

    # -- speaking ------------------------------------------------------------------------------------------------------

    def envelope(
        self,
        branch: str,
        noun: str,
        data: Json,
        *,
        subject: str | None = None,
        id_: str | None = None,
        valid_s: float = 600,
    ) -> Json:
        """An instruction as a dict; `noun` is for example `order.submit`."""
        now = datetime.now(UTC)
        message = {
            "specversion": "1.0",
            "id": id_ or f"i-{uuid.uuid4().hex[:12]}",
            "source": f"/schedulers/{self.name}",
            "type": f"branchgate.{noun}.v1",
            "time": now.isoformat(timespec="milliseconds"),
            "deadline": (now + timedelta(seconds=valid_s)).isoformat(timespec="milliseconds"),
            "branch": branch,
            "data": data,
        }
        return message | ({"subject": subject} if subject else {})

    def push(self, branch: str, payload: bytes | Json) -> None:
        """Publishes once and looks back at nothing."""
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(f"{ROOT}/{branch}/instructions", raw, qos=1)

    async def instruct(self, message: Json, timeout_s: float = REACH_S) -> Json:
        """Sends the same message again and again until its reply is there; the reply's data."""
        heard = self.branches[message["branch"]]
        end = self._loop.time() + timeout_s
        while True:
            self.push(message["branch"], message)
            with contextlib.suppress(AssertionError):
                await heard.until(lambda: heard.reply(message["id"]) is not None, "a reply", RESEND_S)
            reply = heard.reply(message["id"])
            if reply is not None:
                return reply
            assert self._loop.time() < end, f"no reply to {message['id']} within {timeout_s:g} s"

    async def submit(self, branch: str, order: str, *, id_: str | None = None, take_s: float = 30, **data: Any) -> Json:
        """Submits `collect_card` until answered; the reply's data."""
        words = {"scene": "collect_card", "parameters": {"take_s": take_s}, **data}
        return await self.instruct(
            self.envelope(branch, "order.submit", words, subject=order, id_=id_ or f"submit-{order}")
        )

    async def settled(self, branch: str, order: str, timeout_s: float = REACH_S) -> str:
        """Waits until the order has ended or needs attention; its state."""
        heard = self.branches[branch]
        await heard.until(lambda: heard.state(order) in SETTLED, f"order {order} of {branch} is settled", timeout_s)
        return heard.state(order)

    async def caught_up(self, branch: str, *, again: bool = False) -> None:
        """Waits until every event that the branch says it has is here; with `again` asks for missing ones (SES-6)."""
        heard = self.branches[branch]
        reply = await self.instruct(self.envelope(branch, "orders.request", {}))
        journal, after = reply["journal"], reply["after"]
        if again and (missing := heard.missing(journal, after)):
            words = {"journal": journal, "from": missing[0], "to": missing[-1]}
            await self.instruct(self.envelope(branch, "events.request", words))
        await heard.until(lambda: heard.has(journal, after), f"all events of {branch} up to {after}")
