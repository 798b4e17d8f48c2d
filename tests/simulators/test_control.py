"""The control interface: one JSON line in, one out, each wrong request answered with a sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulators.control import ControlClient, ControlServer, split_address
from simulators.machine import ControlError
from tests.simulators.bench import DRAW, STATUS, Bench

pytestmark = pytest.mark.rule("SIM-2")


def bench_server(where: str, bench: Bench) -> ControlServer:
    def handle(request: Mapping[str, Any]) -> dict[str, Any]:
        return bench.line.control(request, bench.now)

    return ControlServer(where, handle)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
async def test_faults_customers_cards_power_and_state_over_the_wire(kind: str, tmp_path: Path) -> None:
    bench = Bench(cards=1).ready()
    server = bench_server(f"unix:{tmp_path}/control.sock" if kind == "unix" else "tcp:127.0.0.1:0", bench)
    where = await server.start()
    async with ControlClient(where, device="card-1") as control:
        assert await control.fault("jam", count=2) == {"armed": ["jam"]}
        assert await control.request("clear") == {"armed": []}
        assert await control.load(["A", "B"]) == {"stacker": 3}
        await control.customer(policy="take", after_s=0)
        bench.ask(DRAW)
        state = await control.state()
        assert (state["serial"], state["place"], state["stacker"]) == ("card-1-0001", "ic", ["A", "B"])
        assert await control.power(on=False) == {"powered": False}
        with pytest.raises(ControlError, match="earthquake"):
            await control.fault("earthquake")
    await server.close()
    assert bench.ask(STATUS) == ""


async def test_bad_lines_get_a_sentence_and_the_next_line_is_heard(tmp_path: Path) -> None:
    server = bench_server(f"unix:{tmp_path}/control.sock", Bench())
    await server.start()
    reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/control.sock")
    for wrong in (b"{", b"[]", b"\xff\xfe", b'"do"', b"{}", b'{"do": "dance"}', b'{"do": "state", "fast": 1}'):
        writer.write(wrong + b"\n")
        answer = json.loads(await reader.readline())
        assert answer["ok"] is False
        assert len(answer["error"]) > 10
    writer.write(b'{"do": "state"}\n')
    assert json.loads(await reader.readline())["ok"] is True
    writer.close()
    await server.close()


async def test_a_line_without_end_is_refused_and_the_server_lives(tmp_path: Path) -> None:
    server = bench_server(f"unix:{tmp_path}/control.sock", Bench())
    await server.start()
    reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/control.sock")
    writer.write(b"x" * (1 << 21))
    assert json.loads(await reader.readline())["ok"] is False
    writer.close()
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        assert (await control.state())["powered"] is True
    await server.close()


async def test_closing_the_server_is_told_to_the_client(tmp_path: Path) -> None:
    server = bench_server(f"unix:{tmp_path}/control.sock", Bench())
    await server.start()
    async with ControlClient(f"unix:{tmp_path}/control.sock") as control:
        await control.state()
        await server.close()
        with pytest.raises(ControlError, match="control connection"):
            await control.state()
    assert not (tmp_path / "control.sock").exists()


@pytest.mark.parametrize(
    "request_",
    [
        {"do": "fault"},
        {"do": "fault", "name": "jam", "args": 3},
        {"do": "load", "cards": ["A", "A"]},
        {"do": "load", "cards": ["card-1-0001"]},
        {"do": "load", "cards": 5},
        {"do": "load"},
        {"do": "power", "on": "yes"},
        {"do": "customer", "policy": "steal"},
        {"do": "customer", "take": True},
        {"do": "insert", "serial": "X"},
        {"do": "insert"},
        {"do": "state", "device": "card-9"},
        {"do": ["state"]},
        {},
    ],
)
def test_wrong_requests_change_nothing(request_: dict[str, Any]) -> None:
    bench = Bench().ready()
    before = bench.line.snapshot()
    with pytest.raises(ControlError):
        bench.control(**request_)
    assert bench.line.snapshot() == before


def test_two_units_must_be_named() -> None:
    bench = Bench(units={0: "card-1", 1: "card-2"})
    with pytest.raises(ControlError, match="card-1, card-2"):
        bench.control(do="state")
    bench.control(do="power", on=False, device="card-2")
    assert bench.control(do="state", device="card-1")["powered"] is True


@pytest.mark.parametrize(
    "where",
    [
        "",
        "unix:",
        "tcp:",
        "tcp:127.0.0.1",
        "tcp:127.0.0.1:99999",
        "udp:127.0.0.1:1",
        "tcp:0.0.0.0:1",
        "tcp:127.example.org:1",
    ],
)
def test_addresses_that_are_none_or_not_loopback_are_refused(where: str) -> None:
    with pytest.raises(ControlError):
        split_address(where)
