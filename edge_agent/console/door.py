"""Handing an instruction in at the door of the agent on this machine, with no broker between.

Knows the socket beside the journal and its one line each way; must not know what is asked.
"""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloud_bridge.envelope import rfc3339
from edge_agent.door import place
from edge_agent.findings import Word, system_error

TIMEOUT_S = 20.0  # as long as a commit may take on a disk that is nearly dead


class NoDoor(Exception):
    """Nobody answers there; says why, in English and as a word of the catalogue."""

    def __init__(self, sentence: str, why: Word) -> None:
        super().__init__(sentence)
        self.why = why


def instruction(branch: str, noun: str, data: Mapping[str, Any], person: str, subject: str | None = None) -> bytes:
    """One that a person at the box gives now: without a deadline, for the box may not know the time."""
    words: dict[str, Any] = {"specversion": "1.0", "id": f"site-{uuid.uuid4()}", "source": person, "branch": branch}
    words |= {"type": f"branchgate.{noun}.v1", "time": rfc3339(datetime.now(UTC))}
    words |= {"subject": subject} if subject else {}
    return json.dumps({**words, "data": dict(data)}, ensure_ascii=False).encode()


def hand_in(folder: Path, payload: bytes) -> dict[str, Any]:
    """The data of the reply, or `problem` and `message`. Raises NoDoor."""
    try:
        with place(folder) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(TIMEOUT_S)
            line.connect(address)
            line.sendall(payload + b"\n")
            said = b"".join(iter(lambda: line.recv(65536), b""))
        reply: dict[str, Any] = json.loads(said)
        return reply
    except OSError as error:
        raise NoDoor(error.strerror or str(error), system_error(error)) from error
    except ValueError as error:  # it went away in the middle of its answer
        raise NoDoor("no answer", Word("os", "no_answer")) from error
