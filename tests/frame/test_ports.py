"""A server that comes back finds its port free: no client is ever given it, and no test takes it meanwhile."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

import pytest

from tests import ports
from tests.ports import LOWEST, free_port


def test_no_client_is_given_it() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first < 20_000:
        pytest.skip(f"this box gives its clients ports from {first} on")
    assert all(LOWEST <= free_port() < first for _ in range(40))


def test_one_that_is_promised_or_used_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    used = free_port()
    ports._claims.pop().close()  # no promise of ours: somebody simply listens there
    promised = free_port()
    with socket.socket() as server:
        server.bind(("127.0.0.1", used))
        tried, draw = [promised - LOWEST, used - LOWEST], secrets.randbelow
        monkeypatch.setattr(secrets, "randbelow", lambda below: tried.pop(0) if tried else draw(below))
        found = free_port()
    assert not tried
    assert found not in (promised, used)
