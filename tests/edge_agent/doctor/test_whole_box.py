"""The whole look at a branch that is well, with its agent running and without: nothing is found; and the command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

import cli
from cloud_bridge.client import Scheduler
from device_drivers.links.memory import named_line
from edge_agent import app
from edge_agent.settings import load
from edge_agent.upkeep.doctor.examine import AREAS
from simulators.crt591.line import Crt591Line
from simulators.crt591.options import Options
from tests.broker import Broker, broker
from tests.device_drivers.far_side import at_far_end
from tests.edge_agent.doctor.branch import Sick, ill
from tests.edge_agent.test_app import started, told
from tests.speech import speak

pytestmark = pytest.mark.process
__all__ = ["broker", "told"]

DEVICE = """[[device]]
id = "card-1"
role = "card-dispenser"
kind = "crt591"
address = "memory://{name}"
idle_poll_s = 0.2
[device.profile]
act_max_s = 1.5
"""


def _journal(sick: Sick) -> str:
    with contextlib.closing(sqlite3.connect(sick.data / "journal.sqlite3")) as database:
        return str(database.execute("SELECT value FROM meta WHERE key = 'journal'").fetchone()[0])


async def test_nothing_is_found_on_a_branch_that_is_well(
    told: asyncio.Queue[str], tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "kernel_synchronised", lambda: True)  # that of a test's machine vouches for nothing
    name = f"doctor-{tmp_path.name}"
    sick = Sick(tmp_path, broker.port, DEVICE.format(name=name))
    sick.data.mkdir(mode=0o700)
    machine = Crt591Line({0: ("card-1", Options())})
    areas: list[str] = []
    async with at_far_end(machine, named_line(name)[1]) as effects:
        async with started(told, load(sick.write())):
            async with asyncio.timeout(20):
                while ill(found := await sick.look()) != ["agent_not_adopted"]:
                    found.clear()
                    await asyncio.sleep(0.1)
                async with Scheduler("127.0.0.1", broker.port, branch="B1") as scheduler:
                    await scheduler.adopt(_journal(sick), [])
                while ill(found := await sick.look(areas.append)) or "device_good" not in [one.code for one in found]:
                    areas.clear()
                    await asyncio.sleep(0.1)
        assert {"agent_good", "broker_round_good", "journal_good"} <= {one.code for one in found}
        assert tuple(areas) == AREAS
        found = await sick.look()
        assert ill(found) == ["agent_not_running"]
        assert "device_good" in [one.code for one in found], "without an agent the device itself was asked"
        assert [effect for effect in effects if effect.kind == "act"] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_tells_findings_remedies_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str
) -> None:
    speak(monkeypatch, lang)
    sick = Sick(tmp_path, 1)
    sick.data.mkdir(mode=0o700)
    assert cli.run(["doctor", "--config", str(sick.write())]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert ("nc -vz" in said, "systemctl start branchgate" in said) == (True, True)
    assert cli.run(["doctor", "--config", str(sick.config), "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert not value["ok"]
    assert {"broker_tcp", "agent_not_running"} <= {one["code"] for one in value["findings"]}
    sick.config.write_text("[branch]\n")
    assert cli.run(["doctor", "--config", str(sick.config), "--json"]) == 78
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["findings"]][:1] == ["missing"]
