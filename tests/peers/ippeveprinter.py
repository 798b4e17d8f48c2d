"""Somebody else's IPP printer and client (CUPS: ippeveprinter, ipptool) as processes of a test.

Knows where they are found and how the printer is started and killed; a test that cannot have them is skipped, and says
why. ippeveprinter wants a D-Bus to announce itself on, so it gets one of its own, with nobody else on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.ports import free_port

START_LIMIT_S = 120.0
_REMEDY = "install cups-ipp-utils (and dbus-daemon), or set {} to the program's path"
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy>
</busconfig>
"""


def find(program: str) -> str:
    """Its path; skips the test where it is not to be had."""
    variable = f"BRANCHGATE_{program.upper().replace('-', '_')}"
    for candidate in (os.environ.get(variable), shutil.which(program), f"/usr/sbin/{program}"):
        if candidate and Path(candidate).exists():
            return candidate
    pytest.skip(f"no {program}: {_REMEDY.format(variable)}")


class PeerPrinter:
    """One ippeveprinter. Each job takes `job_s` and says that it printed `pages`; the port stays over restarts."""

    def __init__(self, folder: Path, *, job_s: float = 0.2, pages: int | None = 2) -> None:
        self._program, self._bus_program = find("ippeveprinter"), find("dbus-daemon")
        self._folder = folder
        self.port = free_port()
        self.address = f"ipp://127.0.0.1:{self.port}/ipp/print"
        self.printed = folder / "printed"
        self.printed.mkdir()
        (folder / "spool").mkdir()
        self._command = folder / "print"
        count = "" if pages is None else f"echo 'ATTR: job-impressions-completed={pages}' >&2\n"
        self._command.write_text(f'#!/bin/sh\nsleep {job_s}\n{count}cp "$1" {self.printed}/$$\n')
        self._command.chmod(0o755)
        self._bus: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it accepts connections."""
        program = [
            self._program,
            "-r",
            "off",
            "-n",
            "localhost",
            "-p",
            str(self.port),
            "-d",
            str(self._folder / "spool"),
        ]
        program += ["-c", str(self._command), "-f", "application/pdf", "-vv", "branch"]
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._folder}/bus"}
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                program, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"ippeveprinter did not start: {(self._folder / 'log').read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL, its job's program with it: what it knew of jobs is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it never began, or ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        config = self._folder / "bus.conf"
        config.write_text(_BUS.format(self._folder / "bus"))
        with (self._folder / "bus.log").open("ab") as log:
            self._bus = subprocess.Popen(
                [self._bus_program, f"--config-file={config}", "--nofork", "--nopidfile"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_LIMIT_S
        while not (self._folder / "bus").exists() and time.monotonic() < until:
            time.sleep(0.02)
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self._bus is not None:
            self._bus.kill()
            self._bus.wait(10)
