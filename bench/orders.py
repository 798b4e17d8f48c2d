"""Orders of one step, on machines without delays: tickets one at a time, then one in flight on each machine.

Knows the load and what is counted of it; what an order should cost at least is summed from `parts`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import minimal_bridge, parts
from bench.counting import Counts, counts, processor_s
from bench.device import exchanges, sheet
from bench.figures import Chapter, Row, Spread
from bench.load import Loader, Payload
from bench.stage import BRANCH, DISPLAYS, Program, Stage
from cloud_bridge.topics import Topics

COMMITS_OF_AN_ORDER = 3  # accepted, armed, settled; what else is committed is not waited for
ENDS = frozenset({"completed", "partly_completed", "failed", "cancelled", "expired", "needs_attention"})
WARM_UP = 20  # orders
AIM = 0.35  # of the minimal bridge, where both have one exchange with the machine: docs/decisions/0092


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of it: repetitions of what runs alone, seconds of each load, printers."""

    repeats: int
    seconds: float
    printers: int


@dataclass(frozen=True, slots=True)
class Parts:
    """What an order consists of at least, each measured alone."""

    trip: Spread
    commit: Spread
    device: Spread

    @property
    def sum_s(self) -> float:
        return self.trip.p50_s + COMMITS_OF_AN_ORDER * self.commit.p50_s + self.device.p50_s


@dataclass(frozen=True, slots=True)
class Load:
    """What one program did: lone orders, and orders of a time in which each lane had one in flight."""

    alone: Spread
    done: int
    counted: Counts
    machines_s: float  # processor time of all simulated printers meanwhile

    @property
    def ms_each(self) -> float:
        return self.machines_s * 1000 / max(self.done, 1)


async def orders(extent: Extent, profile: str = "") -> list[Chapter]:
    """Latency of a lone order beside the sum of its parts, then orders per second beside the minimal bridge."""
    async with Stage(extent.printers) as stage:
        least = await _parts(stage, extent.repeats)
        minimal = await under_minimal(stage, extent)
        file = stage.folder / "sheet.bin"
        file.write_bytes(sheet())
        alike = await under_minimal(stage, extent, str(file))
        mine = await under_agent(stage, extent, profile)
    shown = await _on_displays(extent)
    return [_latency(mine.alone, least, minimal.alone), shown, _throughput(mine, minimal, alike, extent)]


async def _on_displays(extent: Extent) -> Chapter:
    """The same beside a machine that answers each command with one frame: what of an order is not its machine."""
    short = replace(extent, repeats=min(extent.repeats, WARM_UP))
    async with Stage(extent.printers, machines=DISPLAYS) as stage:
        minimal = await under_minimal(stage, short, minimal_bridge.DISPLAY)
        mine = await under_agent(stage, short, order=_text_order)
    own, its = mine.counted.per(mine.done), minimal.counted.per(minimal.done)
    rate, scale = mine.done / extent.seconds, minimal.done / extent.seconds
    ratio = rate / scale
    rows = (
        Row(f"texts with {extent.printers} in flight, {extent.printers} digit displays", f"{rate:,.0f}/s"),
        Row("the minimal journalled bridge that shows a text", f"{scale:,.0f}/s"),
        Row("ratio", f"{ratio:.2f}", f"≥ {AIM}, aiming at 1", ratio >= AIM),
        Row("processor time per order", f"{own.busy_s * 1000:.2f} ms; the minimal bridge {its.busy_s * 1000:.2f} ms"),
        Row("… of the simulated displays", f"{mine.ms_each:.2f} ms; with the minimal bridge {minimal.ms_each:.2f} ms"),
        Row("messages per order: one down, replies and events up", f"{1 + own.heard:.1f}"),
    )
    numbers = {"rate": rate, "minimal": scale, "ratio": ratio, "orders": mine.done, "busy_s": own.busy_s}
    return Chapter("Many orders", rows, numbers)


async def _parts(stage: Stage, repeats: int) -> Parts:
    echo = await stage.start_python("echo", "bench.echo", str(stage.port))
    await echo.until_said("ready")
    trip = await parts.round_trips(stage.port, repeats)
    await echo.end()
    return Parts(trip, parts.commits(stage.folder, repeats), await exchanges(stage.addresses[0], repeats))


async def under_minimal(stage: Stage, extent: Extent, file: str = "") -> Load:
    """The minimal bridge under both loads; `file`: what it prints instead of one short line."""
    given = (str(stage.port), str(stage.folder), file, *stage.addresses)
    bridge = await stage.start_python("alike" if file else "minimal", "bench.minimal_bridge", *given, journals=True)
    await bridge.until_said("ready")
    async with Loader.open(stage.port, minimal_bridge.DOWN, [minimal_bridge.UP], _minimal_ended) as loader:
        load = await _load(stage, loader, _minimal_order, extent, bridge)
    await bridge.end()
    return load


async def under_agent(stage: Stage, extent: Extent, profile: str = "", order: Payload | None = None) -> Load:
    """The agent as it ships under both loads; `order`: another than a ticket."""
    agent = await stage.start_agent("bench.agent", profile)
    await agent.until_said("agent ready")
    topics = Topics(BRANCH)
    async with Loader.open(stage.port, topics.instructions, [topics.events, topics.replies], _ended) as loader:
        await stage.until_online(topics)
        load = await _load(stage, loader, order or _order, extent, agent)
    await agent.end()
    return load


async def _load(stage: Stage, loader: Loader, payload: Payload, extent: Extent, program: Program) -> Load:
    await loader.in_turn(payload, min(WARM_UP, extent.repeats))
    alone = Spread.of(await loader.in_turn(payload, extent.repeats))
    assert stage.simulators is not None
    before, heard, machines_s = await counts(program), loader.heard, processor_s(stage.simulators.pid)
    done = await loader.many(extent.printers, extent.seconds, payload)
    counted = (await counts(program)).since(before, loader.heard - heard)
    return Load(alone, done, counted, processor_s(stage.simulators.pid) - machines_s)


def _order(key: str, _lane: int) -> dict[str, Any]:
    """Which printer gets it is the agent's choice: the one with the fewest open orders."""
    return _submit(key, "print_ticket", {"number": "A001", "queue": "个人业务", "ahead": 3})


def _text_order(key: str, lane: int) -> dict[str, Any]:
    """On the display of one window, which the order names."""
    return _submit(key, "show_text", {"window": f"{DISPLAYS.name}-{lane + 1}", "text": key[:6].upper()})


def _submit(key: str, scene: str, parameters: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "specversion": "1.0",
        "id": f"i-{key}",
        "source": "/schedulers/bench",
        "type": "branchgate.order.submit.v1",
        "time": now.isoformat(),
        "subject": key,
        "branch": BRANCH,
        "deadline": (now + timedelta(minutes=5)).isoformat(),
        "data": {"scene": scene, "parameters": parameters},
    }


def _ended(told: dict[str, Any]) -> str | None:
    data = told["data"]
    if told["type"] == "branchgate.instruction.answered.v1" and data["status"] != "accepted":
        raise RuntimeError(f"the agent refused the load: {data}")
    if told["type"] != "branchgate.order.changed.v1" or data["to"] not in ENDS:
        return None
    if data["to"] != "completed":
        raise RuntimeError(f"the load printed nothing: {data}")
    return str(data["order"])


def _minimal_order(key: str, lane: int) -> dict[str, Any]:
    return {"id": key, "n": lane}


def _minimal_ended(told: dict[str, Any]) -> str | None:
    return str(told["id"])


def _latency(alone: Spread, least: Parts, minimal: Spread) -> Chapter:
    ratio = alone.p50_s / least.sum_s
    rows = (
        Row("one QoS 1 round trip", least.trip.words()),
        Row("one fsync'd commit of three rows", least.commit.words()),
        Row("arming and act by the driver alone", least.device.words()),
        Row(f"sum: a round trip, {COMMITS_OF_AN_ORDER} commits, arming and act", f"p50 {least.sum_s * 1000:.2f} ms"),
        Row("instruction → outcome event", alone.words(), "p50 ≤ 2 × the sum", ratio <= 2),
        Row("… as a ratio", f"{ratio:.2f} × the sum"),
        Row("the minimal journalled bridge, for scale", minimal.words()),
    )
    numbers = {
        "alone_p50_s": alone.p50_s,
        "alone_p99_s": alone.p99_s,
        "trip_p50_s": least.trip.p50_s,
        "commit_p50_s": least.commit.p50_s,
        "device_p50_s": least.device.p50_s,
        "sum_p50_s": least.sum_s,
        "ratio": ratio,
        "minimal_p50_s": minimal.p50_s,
    }
    return Chapter("A lone order", rows, numbers)


def _throughput(mine: Load, minimal: Load, alike: Load, extent: Extent) -> Chapter:
    rate, scale, same = (load.done / extent.seconds for load in (mine, minimal, alike))
    ratio = rate / scale
    own, its = mine.counted.per(mine.done), minimal.counted.per(minimal.done)
    rows = (
        Row(f"orders with {extent.printers} in flight, {extent.printers} printers", f"{rate:,.0f}/s"),
        Row("the minimal journalled bridge", f"{scale:,.0f}/s"),
        Row("ratio", f"{ratio:.2f}"),
        Row("the minimal bridge when it prints the agent's sheet", f"{same:,.0f}/s: {rate / same:.2f}"),
        Row("processor time per order", f"{own.busy_s * 1000:.2f} ms; the minimal bridge {its.busy_s * 1000:.2f} ms"),
        Row("… of the simulated printers", f"{mine.ms_each:.2f} ms"),
        Row("… with the minimal bridge", f"{minimal.ms_each:.2f} ms; with the agent's sheet {alike.ms_each:.2f} ms"),
        Row("messages per order: one down, replies and events up", f"{1 + own.heard:.1f}"),
        Row("fsync'd commits per order, shared by those in flight", f"{own.commits:.2f}"),
        Row("bytes written per order", f"{own.written:,.0f}; the minimal bridge {its.written:,.0f}"),
    )
    numbers = {"rate": rate, "minimal": scale, "ratio": ratio, "alike": same, "orders": mine.done}
    numbers |= {"busy_s": own.busy_s, "commits": own.commits, "written": own.written, "messages": 1 + own.heard}
    return Chapter("Many tickets", rows, numbers)
