"""`branchgate device commission` as a person sees it: a terminal, a simulated module, and three people who walk by."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from edge_agent.texts import Texts
from simulators.branch import open_branch
from simulators.control import ControlClient

CONFIG = """\
[branch]
id = "B1"
[journal]
folder = "{folder}"
[[device]]
id = "door-1"
role = "people-counter"
kind = "people_counter"
address = "{address}"
[device.profile]
model = "m7084"
counts = {{ in = 0, out = 1 }}
"""


async def heard(terminal: int, words: str, said: bytearray) -> None:
    """Reads until these words came since the last time."""
    async with asyncio.timeout(30):
        while words.encode() not in said:
            try:
                said += await asyncio.to_thread(os.read, terminal, 4096)
            except OSError:  # its other end is closed
                break
    assert words.encode() in said, said.decode()
    del said[: said.index(words.encode()) + len(words.encode())]


@pytest.mark.process
@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_a_person_is_led_through_a_counters_commissioning(tmp_path: Path, lang: str) -> None:
    texts, said = Texts(lang), bytearray()
    unit = {"kind": "pulse_counter", "word_order": "high_first", "raw": [70_000, 12]}
    line = {"kind": "modbus", "listen": f"pty:{tmp_path}/bus", "control": f"unix:{tmp_path}/control"}
    raw = {"lines": [{**line, "devices": {"door-1": 1}, "options": {"units": {"door-1": unit}}}]}
    async with open_branch(raw, tmp_path) as branch, ControlClient(f"unix:{tmp_path}/control") as control:
        config = tmp_path / "branch.toml"
        config.write_text(CONFIG.format(folder=tmp_path, address=branch.lines["door-1"].address), encoding="utf-8")
        terminal, other = pty.openpty()
        command = ("device", "commission", str(config), "door-1", "--by", "li", "--lang", lang)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", *command, stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        try:
            for way in ("in", "out"):
                await heard(terminal, texts("commission.walk", name=way, times=3)[:12], said)
                await control.request("walk", way=way, people=3, door="main")
                await heard(terminal, texts("console.commission_done"), said)
                os.write(terminal, b"y\n")
            await heard(terminal, 'word_order = "high_first"', said)
            async with asyncio.timeout(20):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            os.close(terminal)
    assert 'word_order = "high_first"' in (tmp_path / "commissioned.door-1.toml").read_text("utf-8")
