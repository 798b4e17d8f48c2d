from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_bridge.link import Will
from cloud_bridge.settings import LinkSettings
from cloud_bridge.sockets import NotLoopbackError, open_socket, require_loopback
from cloud_bridge.topics import NAME, Topics

WILL = Will("t", b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_is_allowed(host: str) -> None:
    require_loopback(host)


@pytest.mark.rule("INS-1")
@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "0.0.0.0", "2001:db8::1", "::"])
def test_another_machine_is_refused_with_the_remedy(host: str) -> None:
    with pytest.raises(NotLoopbackError, match=r"not signed.*use 127\.0\.0\.1"):
        require_loopback(host)


@pytest.mark.parametrize("host", ["", "no-such-host.invalid", "a b"])
def test_a_host_without_an_address_is_refused_too(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *_: object, **__: object) -> list[object]:
        raise OSError("Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    with pytest.raises(NotLoopbackError, match="has no address"):
        require_loopback(host)


def test_a_name_with_one_address_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("127.0.0.1", 0)), (0, 0, 0, "", ("192.0.2.7", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(NotLoopbackError, match=r"192\.0\.2\.7"):
        require_loopback("both")


def test_the_password_reaches_connect_and_no_text() -> None:
    settings = LinkSettings("b1", username="b1", password="hunter2")
    connect = settings.connect(WILL)
    assert connect.password == "hunter2"
    assert "hunter2" not in repr(settings) + repr(connect) + str(settings)


@pytest.mark.rule("SES-1")
def test_connect_says_what_the_contract_asks_for() -> None:
    connect = LinkSettings("b1").connect(WILL)
    assert (connect.client_id, connect.clean_start, connect.session_expiry_s) == ("b1", False, 604_800)
    assert connect.tls is None


def test_a_missing_tls_file_is_an_error_that_the_bridge_expects(tmp_path: Path) -> None:
    settings = replace(LinkSettings("b1"), tls_ca=str(tmp_path / "none.pem"))
    with pytest.raises(OSError, match="No such file"):
        settings.connect(WILL)


def test_topics_are_those_of_the_contract() -> None:
    topics = Topics("bj-1")
    assert topics.instructions == "branchgate/v1/bj-1/instructions"
    assert topics.device("card-1") == "branchgate/v1/bj-1/devices/card-1"
    assert Topics("x", "own/root").session == "own/root/x/session"
    assert NAME.match("bj-1.a_B")
    for bad in ("", "+", "a/b", "#", "-a", "a" * 65, "a b"):
        assert not NAME.match(bad), bad


async def test_a_name_that_moved_since_it_was_checked_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("192.0.2.7", 1883))]

    async def connect(*_: object) -> None:
        raise AssertionError("another machine was asked")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(loop, "sock_connect", connect)
    with pytest.raises(OSError, match=r"192\.0\.2\.7 is not this machine"):
        await open_socket("localhost", 1883, loopback_only=True)
    assert LinkSettings(client_id="b").connect(WILL).loopback_only
