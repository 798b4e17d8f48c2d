"""Faults of the broker and of the way to it, planted one by one; and what the trial must not do to the branch."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from edge_agent.settings import parse
from edge_agent.texts import Texts
from edge_agent.upkeep.doctor.examine import broker
from edge_agent.upkeep.doctor.found import Found, Level
from tests.edge_agent.doctor.branch import Sick, ill
from tests.edge_agent.doctor.paper_broker import PaperBroker


async def looked(tmp_path: Path, port: int, link: str = "") -> list[Found]:
    sick = Sick(tmp_path, port, link=link)
    settings = parse(sick.write().read_text("utf-8"))
    return [one async for one in broker(settings, sick.world)]


async def tried(tmp_path: Path, paper: PaperBroker) -> list[str]:
    async with paper.standing() as port:
        return ill(await looked(tmp_path, port))


async def test_a_broker_that_is_well(tmp_path: Path) -> None:
    paper = PaperBroker()
    async with paper.standing() as port:
        found = await looked(tmp_path, port)
    assert [one.code for one in found] == [
        "broker_name_good",
        "broker_tcp_good",
        "broker_connack_good",
        "broker_limits_good",
        "broker_suback_good",
        "broker_round_good",
    ]
    (connect,) = paper.clients
    assert b"branchgate-B1-doctor" in connect, "the branch's own session must not be touched"
    assert paper.expiries == [bytes((0, 5, 0x11, 0, 0, 0, 0))], "no session of ours may be left"


async def test_a_refused_connection(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    found = await looked(tmp_path, port)
    assert ill(found) == ["broker_tcp"]
    assert found[-1].words(Texts("en")).endswith("Connection refused")
    assert found[-1].words(Texts("zh")).endswith("连接被拒绝")


async def test_silence_after_tcp(tmp_path: Path) -> None:
    assert await tried(tmp_path, PaperBroker(speaks=False)) == ["broker_silent"]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (0x87, "broker_rights"),  # not authorized
        (0x86, "broker_rights"),  # bad user name or password
        (0x84, "broker_version"),
        (0x97, "broker_connack"),  # quota exceeded
    ],
)
async def test_a_connack_that_refuses(tmp_path: Path, reason: int, code: str) -> None:
    assert await tried(tmp_path, PaperBroker(connack=reason)) == [code]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (b"\x25\x00", "broker_no_retained"),
        (b"\x24\x00", "broker_no_qos1"),
        (b"\x27\x00\x00\x40\x00", "broker_small_packets"),  # 16 KiB
        (b"\x27\x00\x02\x00\x00", "broker_packets"),  # 128 KiB
        (b"\x11\x00\x00\x0e\x10", "broker_short_session"),  # an hour
        (b"\x21\x00\x01", "broker_small_window"),
    ],
)
@pytest.mark.rule("SES-1")
async def test_limits_that_do_not_suffice(tmp_path: Path, properties: bytes, code: str) -> None:
    async with PaperBroker(properties=properties).standing() as port:
        found = await looked(tmp_path, port)
    assert ill(found) == [code]
    grave = code not in ("broker_packets", "broker_small_window")
    assert [one.level for one in found if one.code == code] == [Level.ERROR if grave else Level.WARNING]


async def test_a_subscription_that_is_refused(tmp_path: Path) -> None:
    assert await tried(tmp_path, PaperBroker(suback=0x87)) == ["broker_suback"]


async def test_a_message_that_is_swallowed(tmp_path: Path) -> None:
    assert await tried(tmp_path, PaperBroker(echoes=False)) == ["broker_round"]


async def test_tls_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing", encoding="ascii")
    link = f'tls_ca = "{file}"'
    async with PaperBroker().standing() as port:
        assert ill(await looked(tmp_path, port, link)) == ["broker_tls_files"]


async def test_a_listener_that_speaks_no_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    from cloud_bridge.settings import LinkSettings

    monkeypatch.setattr(LinkSettings, "tls", lambda _: ssl.create_default_context())
    paper = PaperBroker(speaks=False)
    async with paper.standing() as port:
        assert ill(await looked(tmp_path, port)) in (["broker_tls"], ["broker_tls_silent"])
    await asyncio.sleep(0)
