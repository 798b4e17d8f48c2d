"""A real mosquitto on a random loopback port, for tests and drills; several may run at once.

Knows how to start, stop, kill, freeze and wipe a broker; must not know what is published through it.
Every method blocks for some tens of milliseconds at most, so it may be called from a test's coroutine.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.ports import free_port

LIMIT_S = 120.0  # for its start or its end; on a box with twenty times its load, too
FALLBACK = "/usr/sbin/mosquitto"  # Debian installs it outside a plain user's PATH


def find_mosquitto() -> str:
    """The broker's program. Raises FileNotFoundError with the remedy."""
    for candidate in (os.environ.get("BRANCHGATE_MOSQUITTO"), shutil.which("mosquitto"), FALLBACK):
        if candidate and Path(candidate).exists():
            return candidate
    raise FileNotFoundError("no mosquitto found: install it or set BRANCHGATE_MOSQUITTO to its path")


class Broker:
    """One mosquitto. `extra` are further lines of its configuration; with `persistence` it keeps sessions over a stop.

    Use: `with Broker(tmp_path) as broker: ... broker.port ...`; the port stays the same over restarts.
    """

    host = "127.0.0.1"

    def __init__(self, directory: Path, *, persistence: bool = True, extra: str = "", anonymous: bool = True) -> None:
        self.port = free_port()
        self.directory = directory / f"broker-{self.port}"
        self.directory.mkdir(parents=True)
        self.persistence = persistence
        self.extra = extra
        self.anonymous = anonymous
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        file = self.directory / "mosquitto.log"
        return file.read_text() if file.exists() else ""

    def _write_config(self) -> Path:
        lines = [
            f"listener {self.port} {self.host}",
            f"allow_anonymous {'true' if self.anonymous else 'false'}",
            "set_tcp_nodelay true",
            "max_queued_messages 100000",  # the default confirms and drops what exceeds 1,000 (SES-1)
            "log_type all",
            f"log_dest file {self.directory / 'mosquitto.log'}",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it gives up its rights and cannot write its own directory
        if self.persistence:
            lines += ["persistence true", f"persistence_location {self.directory}/"]
        config = self.directory / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n" + self.extra)
        return config

    def start(self) -> None:
        """Returns when it accepts connections. Raises RuntimeError with its log when it does not."""
        assert not self.running, "the broker runs already"
        config = self._write_config()
        with (self.directory / "stderr.log").open("ab") as stderr:
            self._process = process = subprocess.Popen(
                [find_mosquitto(), "-c", str(config)], stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr
            )
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit and process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), timeout=LIMIT_S).close()
            except OSError:
                time.sleep(0.005)
            else:
                return
        self.kill()
        raise RuntimeError(f"mosquitto did not start: {(self.directory / 'stderr.log').read_text()} {self.log}")

    def stop(self) -> None:
        """Ends it in good order: with persistence, sessions and retained messages are on disk afterwards."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what was not saved is gone."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            if how is signal.SIGTERM:
                self._process.send_signal(signal.SIGCONT)  # a frozen one would never see it
        self._process.wait(LIMIT_S)
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """It stays connected and answers nothing, as behind a dead WAN."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Forget every session and retained message. Only while it is not running."""
        assert not self.running, "stop the broker before its store is wiped"
        for file in self.directory.glob("mosquitto.db*"):
            file.unlink()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker; import this fixture where it is needed."""
    with Broker(tmp_path) as running:
        yield running
