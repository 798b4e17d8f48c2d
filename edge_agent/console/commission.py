"""Commissioning one device of a branch.toml by its kind's own procedure.

Knows where a device stands in a configuration that may not be whole yet, and what was agreed to; must not know any
kind, nor how people are asked. What was seen is written by `commissioned`.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from device_drivers.catalog import UnknownKindError, kind_of
from device_drivers.commissioning import Commissioning, Guide
from device_drivers.kinds import DeviceKind
from device_drivers.links.address import open_address
from device_drivers.links.line import Lines
from edge_agent.console import commissioned
from edge_agent.console.at_device import AgentWorks, OpenAct
from edge_agent.findings import Problem, misfits, unreadable
from edge_agent.fitting import MAX_PROBLEMS
from edge_agent.hand_written import Unreadable, members_of, read_text
from edge_agent.settings import MAX_BYTES, BadConfig, DevicePart
from edge_agent.upkeep.doctor.devices import past_of
from edge_agent.upkeep.doctor.running import kept_out


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device that can be commissioned, and the kind that knows how."""

    config: Path
    device: DevicePart
    kind: DeviceKind
    journal: Path | None  # of its agent, which must not work meanwhile: two masters would speak on one line

    @property
    def record(self) -> Path:
        return commissioned.record_of(self.config, self.device.id)

    @property
    def log(self) -> Path:
        """What was agreed to, one JSON line each, on disk before anything moved."""
        return self.record.with_suffix(".log")


class NotToCommission(LookupError):
    """No such device, or one that has nothing to be seen: `known` are those that have."""

    def __init__(self, known: Sequence[str]) -> None:
        super().__init__(", ".join(known))
        self.known = known


def find(config: Path, name: str) -> Candidate:
    """The device of that name; the rest of the file may be wrong still. Raises BadConfig, NotToCommission."""
    try:
        text = read_text(config, MAX_BYTES)
        members = members_of(text)
    except Unreadable as bad:
        raise BadConfig([Problem(str(config), bad.line, unreadable(bad))]) from bad
    devices = members.get("device")
    found: list[tuple[DevicePart, DeviceKind]] = []
    for number, raw in enumerate(devices if isinstance(devices, list) else []):
        device = _device(config, text, number, raw, wanted=isinstance(raw, dict) and raw.get("id") == name)
        if device is not None and (kind := _kind(device)) is not None:
            found.append((device, kind))
    for device, kind in found:
        if device.id == name:
            return Candidate(config, device, kind, _folder(members))
    raise NotToCommission([device.id for device, _ in found])


def _folder(members: Mapping[str, Any]) -> Path | None:
    """Where its agent keeps its lock; None: the file does not say so yet, and no agent can have begun by it."""
    journal = members.get("journal")
    folder = journal.get("folder") if isinstance(journal, Mapping) else None
    return Path(folder) if isinstance(folder, str) and folder else None


def _device(config: Path, text: str, number: int, raw: Any, *, wanted: bool) -> DevicePart | None:
    try:
        return DevicePart.model_validate(raw)
    except ValidationError as error:
        if wanted:
            raise BadConfig(misfits(text, str(config), error, MAX_PROBLEMS, ("device", number))) from None
        return None


def _kind(device: DevicePart) -> DeviceKind | None:
    try:
        kind = kind_of(device.kind)
    except UnknownKindError:
        return None
    return kind if kind.commission is not None else None


async def commission(candidate: Candidate, guide: Guide, by: Sequence[str]) -> tuple[Mapping[str, Any], str]:
    """What was seen, and the record as it was written.

    Raises what `DeviceKind.commission` raises, BadConfig for a profile that lacks more than what is seen, OSError;
    AgentWorks, OpenAct: what is at the machine is evidence, and nobody's to touch.
    """
    with _alone(candidate):
        return await _seen(candidate, guide, by)


@contextmanager
def _alone(candidate: Candidate) -> Iterator[None]:
    """No agent works, and none can begin before the block ends. Raises AgentWorks, OpenAct."""
    if candidate.journal is None:
        yield
        return
    with kept_out(candidate.journal) as free:
        if not free:
            raise AgentWorks(candidate.journal)
        if attempt := past_of(candidate.journal, [candidate.device])[candidate.device.id].open_act:
            raise OpenAct(attempt)
        yield


async def _seen(candidate: Candidate, guide: Guide, by: Sequence[str]) -> tuple[Mapping[str, Any], str]:
    assert candidate.kind.commission is not None
    device, lines = candidate.device, Lines(open_address)
    try:
        seen = await candidate.kind.commission(Commissioning(device.address, device.profile, lines.line, guide))
    except ValidationError as error:
        text = candidate.config.read_text("utf-8")
        raise BadConfig(misfits(text, str(candidate.config), error, MAX_PROBLEMS, _place(candidate, text))) from None
    return seen, commissioned.keep(candidate.config, device, seen, by)


def _place(candidate: Candidate, text: str) -> tuple[str | int, ...]:
    devices = tomllib.loads(text)["device"]
    number = next(at for at, raw in enumerate(devices) if raw.get("id") == candidate.device.id)
    return ("device", number, "profile")


def note(candidate: Candidate, by: Sequence[str], asked: str, *, agreed: bool) -> None:
    """An answer to what may move, on disk when this returns. Raises OSError."""
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    row = json.dumps({"at": at, "by": list(by), "asked": asked, "agreed": agreed}, ensure_ascii=False)
    with candidate.log.open("a", encoding="utf-8") as file:
        file.write(row + "\n")
        file.flush()
        os.fsync(file.fileno())
