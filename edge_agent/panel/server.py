"""The panel as one of the agent's tasks: it listens, and never ends, stops or delays the agent.

Knows uvicorn, which takes over signals unless it is kept from it, and ends the process when it cannot listen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from edge_agent.panel.branch import House
from edge_agent.panel.build import More, build
from edge_agent.panel.doorstep import MOST, Doorstep
from edge_agent.panel.patience import Patient

log = logging.getLogger(__name__)
AGAIN_S = 10.0
STOP_S = 3.0


@dataclass(frozen=True, slots=True)
class Listen:
    """Where it listens; with TLS, the files of its certificate and key."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


class _Server(uvicorn.Server):
    """uvicorn without its hands on the process's signals: the agent's own handlers stop it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Panel:
    """Run as one task."""

    def __init__(self, house: House, listen: Listen, more: More | None = None) -> None:
        self._house = house
        self._listen = listen
        self._more = more
        self.port = listen.port  # as it is in the end, where 0 was asked for

    async def run(self) -> None:
        """Until cancelled."""
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).setLevel(logging.ERROR)  # a warning for each bad request would fill the card
        while True:
            try:
                await self._serve()
            except (OSError, ssl.SSLError) as error:
                log.error("panel: %s:%d: %s", self._listen.host, self._listen.port, error)
            await asyncio.sleep(AGAIN_S)

    async def _serve(self) -> None:
        listen = self._listen
        self._house.closing.clear()  # set where a server before this one ended
        app, _ = build(self._house, tls=listen.certificate is not None, more=self._more)
        with Doorstep(listen.host, listen.port) as door:
            self.port = door.getsockname()[1]
            server = _Server(self._config(app))
            log.info("panel: listening on %s:%d", listen.host, self.port)
            serving = asyncio.create_task(server.serve(sockets=[door]), name="panel server")
            try:
                await asyncio.shield(serving)
            finally:
                self._house.closing.set()  # whoever reads events goes
                server.should_exit = True
                await asyncio.wait([serving], timeout=STOP_S)
                serving.cancel()
                await asyncio.wait([serving])

    def _config(self, app: object) -> uvicorn.Config:
        return uvicorn.Config(
            app,  # type: ignore[arg-type]
            http=Patient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ssl_certfile=self._listen.certificate,
            ssl_keyfile=self._listen.key,
            limit_concurrency=MOST,
            backlog=MOST,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=16 * 1024,
        )
