"""Faults of the broker and of the way to it, planted one by one; and what the trial must not do to the branch."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from cloud_bridge import trial_queue
from cloud_bridge.link import Connect
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.trial import Limits
from edge_agent.settings import parse
from edge_agent.texts import Texts
from edge_agent.upkeep.doctor.examine import broker
from edge_agent.upkeep.doctor.found import Found, Level
from tests.broker import Broker
from tests.edge_agent.doctor.branch import Sick, ill
from tests.edge_agent.doctor.paper_broker import PaperBroker

QUICK = Limits(0.3, 0.3, 0.3)  # where something is waited for in vain


async def looked(tmp_path: Path, port: int, link: str = "", limits: Limits = Limits()) -> list[Found]:
    sick = Sick(tmp_path, port, link=link)
    sick.senses["broker"] = limits
    settings = parse(sick.write().read_text("utf-8"))
    return [one async for one in broker(settings, sick.world)]


async def tried(tmp_path: Path, paper: PaperBroker, limits: Limits = Limits()) -> list[str]:
    async with paper.standing() as port:
        return ill(await looked(tmp_path, port, limits=limits))


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
        "broker_queue_good",
    ]
    assert all(b"branchgate-B1-doctor" in connect for connect in paper.clients), "the branch's own is not touched"
    first, last = paper.expiries[0], paper.expiries[1:]
    assert first == b"", "a client that is away needs its session"
    assert last == [b"", *[bytes((0, 5, 0x11, 0, 0, 0, 0))] * 2], "no session of ours may be left"


async def test_a_refused_connection(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    found = await looked(tmp_path, port)
    assert ill(found) == ["broker_tcp"]
    assert found[-1].words(Texts("en")).endswith("Connection refused")
    assert found[-1].words(Texts("zh")).endswith("连接被拒绝")


async def test_silence_after_tcp(tmp_path: Path) -> None:
    assert await tried(tmp_path, PaperBroker(speaks=False), QUICK) == ["broker_silent"]


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


@pytest.mark.parametrize(
    ("paper", "code", "places"),
    [
        (PaperBroker(keeps=1000), "broker_queue", {"sent": 1200, "kept": 1000}),
        (PaperBroker(away="refused"), "broker_queue_unknown", None),
        (PaperBroker(away="unconfirmed"), "broker_queue_slow", {"count": 0, "seconds": 0.3}),
        (PaperBroker(away="unheard"), "broker_queue_slow", {"count": 0, "seconds": 0.3}),
    ],
    ids=lambda paper: paper.away if isinstance(paper, PaperBroker) else "",
)
@pytest.mark.rule("SES-1")
async def test_how_many_messages_wait_for_who_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper: PaperBroker, code: str, places: dict[str, object] | None
) -> None:
    monkeypatch.setattr(trial_queue, "QUIET_S", 0.1)
    async with paper.standing() as port:
        found = await looked(tmp_path, port, limits=Limits(queue_s=0.3 if places and "seconds" in places else 60))
    assert ill(found) == [code]
    assert found[-1].level is (Level.ERROR if code == "broker_queue" else Level.WARNING)
    assert places in (None, found[-1].places)


@pytest.mark.process
@pytest.mark.parametrize(
    ("settings", "code"), [("max_queued_messages 1000\n", "broker_queue"), ("", "broker_queue_good")]
)
@pytest.mark.rule("SES-1")
async def test_a_real_broker_with_its_default_queue_and_a_long_one(tmp_path: Path, settings: str, code: str) -> None:
    with Broker(tmp_path, extra=settings) as broker:
        found = await looked(tmp_path, broker.port)
        assert found[-1].code == code
        if code == "broker_queue":
            kept = found[-1].places["kept"]
            assert isinstance(kept, int)
            assert 1000 <= kept < 1200
        options = Connect("127.0.0.1", broker.port, "branchgate-B1-doctor-away")
        async with await MqttLink.connect(options) as link:
            assert not link.session_present, "nothing of the trial may stay at the broker"
            await link.close(forget=True)


async def test_a_subscription_that_is_refused(tmp_path: Path) -> None:
    assert await tried(tmp_path, PaperBroker(suback=0x87)) == ["broker_suback"]


async def test_a_message_that_is_swallowed(tmp_path: Path) -> None:
    assert await tried(tmp_path, PaperBroker(echoes=False), QUICK) == ["broker_round"]


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
        assert ill(await looked(tmp_path, port, limits=QUICK)) in (["broker_tls"], ["broker_tls_silent"])
    await asyncio.sleep(0)
