"""What an agent costs that has nothing to do: memory, processor time, and how soon it was there.

Knows what the kernel tells of a process, and what each of these figures consists of.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.counting import processor_s
from bench.figures import Chapter, Row
from bench.load import client
from bench.stage import BRANCH, ROOT, Stage
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.topics import Topics

MAX_MB, MAX_IDLE, MAX_BIRTH_S = 50.0, 0.02, 1.0
REPEATS = 3  # starts of a bare Python: the quickest counts
IMPORTS = {
    "a Python that imported nothing": "",
    "asyncio, ssl and sqlite3": "import asyncio, ssl, sqlite3",
    "paho": "import paho.mqtt.client",
    "pydantic": "import pydantic",
    "all of the agent": "import cli, edge_agent.console.agent, device_drivers.escpos.kind",
    "the command line of everything else": "import commands.whole",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One agent at rest."""

    birth_s: float
    idle: float  # share of a core
    resident_mb: float
    own_mb: float  # not shared with other processes


async def rest(printers: int, settle_s: float, idle_s: float) -> list[Chapter]:
    """An agent with so many printers after it settled, beside one without any."""
    full = await _seen(printers, settle_s, idle_s)
    empty = await _seen(0, settle_s, min(idle_s, 10.0))
    imports = {name: await _python(script) for name, script in IMPORTS.items()}
    each_kb = (full.resident_mb - empty.resident_mb) * 1024 / max(printers, 1)
    rows = [
        Row("resident memory", f"{full.resident_mb:.0f} MB", f"≤ {MAX_MB:.0f} MB", full.resident_mb <= MAX_MB),
        Row("… of it not shared with other processes", f"{full.own_mb:.0f} MB"),
        Row("… without any printer", f"{empty.resident_mb:.0f} MB: each printer costs {each_kb:.0f} kB"),
        Row("processor time while idle", f"{full.idle:.1%} of a core", f"≤ {MAX_IDLE:.0%}", full.idle <= MAX_IDLE),
        Row("… without any printer", f"{empty.idle:.1%}"),
        Row("from start to birth", f"{full.birth_s:.2f} s", f"≤ {MAX_BIRTH_S:.0f} s", full.birth_s <= MAX_BIRTH_S),
        Row("… without any printer", f"{empty.birth_s:.2f} s"),
    ]
    rows += [Row(f"… {name}", f"{seconds:.2f} s, {mb:.0f} MB") for name, (seconds, mb) in imports.items()]
    numbers = {"mb": full.resident_mb, "idle": full.idle, "birth_s": full.birth_s, "empty_mb": empty.resident_mb}
    return [Chapter(f"At rest, {printers} printers", tuple(rows), {**numbers, "imports": imports})]


async def _seen(printers: int, settle_s: float, idle_s: float) -> Seen:
    async with Stage(printers) as stage:
        async with await MqttLink.connect(client(stage.port, "bench-births")) as link:
            await link.subscribe(Topics(BRANCH).session)
            began_s = time.perf_counter()
            agent = await stage.start_agent()
            (await link.receive()).ack()
            birth_s = time.perf_counter() - began_s
        await stage.until_online(Topics(BRANCH))
        await asyncio.sleep(settle_s)
        busy_before_s, before_s = processor_s(agent.pid), time.perf_counter()
        await asyncio.sleep(idle_s)
        idle = (processor_s(agent.pid) - busy_before_s) / (time.perf_counter() - before_s)
        return Seen(birth_s, idle, *_resident_mb(agent.pid))


def _resident_mb(pid: int) -> tuple[float, float]:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    kb = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return kb["Rss"] / 1024, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024


async def _python(script: str) -> tuple[float, float]:
    """Seconds from start to end of a Python that does this, and its memory at the end."""
    # ru_maxrss would be the parent's from before the exec.
    tell = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    found = []
    for _ in range(REPEATS):
        began_s = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", f"{script}\n{tell}", stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        said, _ = await process.communicate()
        found.append((time.perf_counter() - began_s, int(said) / 1024))
    return min(found)
