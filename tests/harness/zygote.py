"""A process that has everything imported and forks agents and machines: a killed agent is back in milliseconds.

Knows processes, pids and log files; what a child does is one function of `roles`. A client's children die with its
connection.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1  # linux/prctl.h: a child must not outlive the zygote, however that one ends
Role = Callable[[dict[str, Any]], int]


class Client:
    """One connection: requests in, pids and exit codes out."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = b""
        self.pids: set[int] = set()

    def lines(self) -> list[bytes] | None:
        """Whole lines that came; None when the client is gone."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return None
        if not data:
            return None
        *whole, self.buffer = (self.buffer + data).split(b"\n")
        return whole

    def tell(self, **words: Any) -> None:
        with contextlib.suppress(OSError):  # it is gone; its end is noticed by the next read
            self.socket.sendall(json.dumps(words).encode() + b"\n")


class Zygote:
    """The forking server: single-threaded, so that a fork finds no lock held."""

    def __init__(self, path: Path, roles: Mapping[str, Role]) -> None:
        self._roles = roles
        self._selector = selectors.DefaultSelector()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(64)
        self._selector.register(self._server, selectors.EVENT_READ)
        self._wake_in, self._wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wake_out, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._clients: dict[int, Client] = {}

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._server:
                    connection, _ = self._server.accept()
                    self._clients[connection.fileno()] = Client(connection)
                    self._selector.register(connection, selectors.EVENT_READ)
                elif key.fd == self._wake_in:
                    os.read(self._wake_in, 4096)
                else:
                    self._hear(self._clients[key.fd])
            self._reap()

    def _hear(self, client: Client) -> None:
        lines = client.lines()
        if lines is None:
            self._selector.unregister(client.socket)
            del self._clients[client.socket.fileno()]
            client.socket.close()
            for pid in client.pids:
                os.kill(pid, signal.SIGKILL)  # not reaped yet, so the pid is still this child's
            return
        for line in lines:
            request = json.loads(line)
            client.tell(ticket=request["ticket"], pid=self._fork(client, request))

    def _fork(self, client: Client, request: dict[str, Any]) -> int:
        pid = os.fork()
        if pid == 0:
            self._become(request)
        client.pids.add(pid)
        return pid

    def _become(self, request: dict[str, Any]) -> NoReturn:
        code = 1
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for fd in (self._server.fileno(), self._wake_in, self._wake_out, *self._clients):
                os.close(fd)
            log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            code = self._roles[request["role"]](request)
        except BaseException:  # noqa: BLE001 - a child that failed must say why and end; it must never return into the server
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for client in self._clients.values():
                if pid in client.pids:
                    client.pids.discard(pid)
                    client.tell(pid=pid, ended=os.waitstatus_to_exitcode(status))


def main() -> None:
    from tests.harness.roles import ROLES

    zygote = Zygote(Path(sys.argv[1]), ROLES)
    gc.collect()
    gc.freeze()  # pages of what is imported stay shared, and a child's first collection has little to do
    print("ready", flush=True)
    zygote.serve()


if __name__ == "__main__":
    main()
