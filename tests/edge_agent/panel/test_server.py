"""The panel inside a whole agent: real connections, TLS, signals that stay the agent's, a port that is taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from edge_agent.settings import BadConfig, load, parse
from tests.edge_agent.people.desk import quick
from tests.edge_agent.test_app import config, started, told
from tests.ports import free_port

__all__ = ["told"]  # a fixture of these tests


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


def branch(folder: Path, port: int, more: str = "") -> Path:
    path = folder / "branch.toml"
    panel = f'[panel]\nlisten = "127.0.0.1:{port}"\n{more}'
    path.write_text(config(folder, free_port(), more=panel), "utf-8")
    return path


async def _open(port: int, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def connected(
    port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(30):
        reader, writer = await _open(port, tls)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def get(port: int, path: str, tls: ssl.SSLContext | None = None) -> tuple[bytes, bytes]:
    """(head, body) of one answer."""
    async with connected(port, tls) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
        head, _, body = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
    return head, body


@pytest.mark.process
async def test_an_agent_with_a_panel_answers_and_ends_by_its_own_signal(
    tmp_path: Path, told: asyncio.Queue[str]
) -> None:
    port = free_port()
    async with started(told, load(branch(tmp_path, port))) as agent:
        head, body = await get(port, "/api/v1/orders")
        assert head.startswith(b"HTTP/1.1 401")
        assert b"server:" not in head.lower()
        assert json.loads(body)["error"] == "sign_in"
        assert "handle_exit" not in repr(signal.getsignal(signal.SIGTERM)), "its own handler would hear it first"
        async with connected(port):  # somebody who says nothing keeps nobody from stopping
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(30):
                await agent


@pytest.mark.process
async def test_over_tls(tmp_path: Path, told: asyncio.Queue[str]) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "panel.pem")
    issued.private_key_pem.write_to_path(tmp_path / "panel.key")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    port = free_port()
    more = f'tls_certificate = "{tmp_path / "panel.pem"}"\ntls_key = "{tmp_path / "panel.key"}"\n'
    async with started(told, load(branch(tmp_path, port, more))):
        head, _ = await get(port, "/api/v1/orders", trusting)
        assert head.startswith(b"HTTP/1.1 401")
        assert b"strict-transport-security" in head


@pytest.mark.process
async def test_a_port_that_is_taken_or_a_key_that_is_lost_ends_no_agent(
    tmp_path: Path, told: asyncio.Queue[str], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with started(told, load(branch(tmp_path, taken.getsockname()[1]))) as agent:
            async with asyncio.timeout(30):
                while "panel: 127.0.0.1" not in caplog.text:  # noqa: ASYNC110  # a log tells nobody
                    await asyncio.sleep(0.02)
            assert not agent.done()


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="this kernel does not weigh processes")
def test_the_panel_in_use_adds_less_memory_than_it_may() -> None:
    weigh = [sys.executable, "-m", "tests.edge_agent.panel.weighed"]
    said = subprocess.run(weigh, capture_output=True, text=True, check=True, timeout=120)
    assert 5_000 < int(said.stdout) <= 25_000, "KiB"


@pytest.mark.parametrize(
    ("panel", "code"),
    [
        ('listen = "0.0.0.0:8443"', "panel_needs_tls"),
        ('listen = "127.0.0.1"\ntls_key = "/key"', "tls_halves"),
        ('listen = "a b"', "spelling_time_server"),
    ],
)
def test_what_would_send_passwords_in_clear_is_refused(tmp_path: Path, panel: str, code: str) -> None:
    with pytest.raises(BadConfig) as bad:
        parse(f'[branch]\nid = "B1"\n[journal]\nfolder = "{tmp_path}"\n[panel]\n{panel}\n')
    assert [problem.code for problem in bad.value.problems] == [code]
    parse(f'[branch]\nid = "B1"\n[journal]\nfolder = "{tmp_path}"\n[panel]\nlisten = "127.0.0.1:1"\n')
