"""branch.toml: what a branch is, as pydantic models; a mistake names the file, the line, the key and the remedy.

Knows the form of the configuration and that its parts fit together; opens no device and no connection.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_bridge.settings import LinkSettings
from cloud_bridge.sockets import NotLoopbackError, require_loopback
from cloud_bridge.topics import DEFAULT_ROOT
from device_drivers.catalog import UnknownKindError, kind_of
from device_drivers.links.address import AddressError, open_address
from device_drivers.links.line import Lines, SharedLine
from edge_agent.findings import Problem, Saying, Word, at, misfits, unreadable
from edge_agent.hand_written import PathName, Unreadable, members_of, read_text
from edge_agent.orders.scenes import BadScene, Scene, load_scenes
from edge_agent.spellings import CLIENT_ID, KIND, NAME, ROLE, TOPIC_ROOT, USERNAME

MAX_BYTES = 256 * 1024
MAX_PASSWORD_BYTES = 4096
MAX_PROBLEMS = 20  # whoever has more mends these first


class BadConfig(ValueError):
    """A configuration that cannot be used; `problems` names each file, line, key and remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BranchPart(_Part):
    id: str = Field(pattern=NAME, description="the branch's id, one topic level")
    name: str = Field(default="", max_length=100)


class LinkPart(_Part):
    """The way to the centre's broker."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=253)
    port: int = Field(default=1883, ge=1, le=65535)
    root: str = Field(default=DEFAULT_ROOT, pattern=TOPIC_ROOT)
    client_id: str | None = Field(default=None, pattern=CLIENT_ID)
    username: str | None = Field(default=None, pattern=USERNAME)
    password_file: PathName | None = None
    tls_ca: PathName | None = None
    tls_certificate: PathName | None = None
    tls_key: PathName | None = None
    receive_maximum: int = Field(default=32, ge=1, le=1000)
    keepalive_s: int = Field(default=20, ge=2, le=600)
    heartbeat_s: float = Field(default=60.0, gt=0, le=3600)
    backoff_min_s: float = Field(default=1.0, gt=0, le=60)
    backoff_max_s: float = Field(default=60.0, gt=0, le=600)
    max_events_per_s: float = Field(default=500.0, gt=0, le=100_000)


class JournalPart(_Part):
    folder: PathName
    adoption: Literal["instruction", "automatic"] = "instruction"


class ClockPart(_Part):
    source: Literal["kernel", "host"] = "kernel"


class OrdersPart(_Part):
    max_open: int = Field(default=1000, ge=1, le=100_000)


class ScenesPart(_Part):
    folders: list[PathName] = Field(default_factory=list, max_length=16)


class DevicePart(_Part):
    """One device: its name, what scenes call it for, what it is and where it is."""

    id: str = Field(pattern=NAME)
    role: str = Field(pattern=ROLE)
    kind: str = Field(pattern=KIND)
    address: str = Field(min_length=1, max_length=300)
    idle_poll_s: float = Field(default=5.0, gt=0, le=3600)
    profile: dict[str, Any] = Field(default_factory=dict)


class Settings(_Part):
    """The whole of branch.toml."""

    branch: BranchPart
    link: LinkPart = LinkPart()
    journal: JournalPart
    clock: ClockPart = ClockPart()
    orders: OrdersPart = OrdersPart()
    scenes: ScenesPart = ScenesPart()
    device: list[DevicePart] = Field(default_factory=list, max_length=200)

    def digest(self) -> str:
        """What the birth tells of the applied configuration."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def link_settings(self) -> LinkSettings:
        """What the bridge is handed. Reads the password file; raises BadConfig."""
        part = self.link
        password = _password(part.password_file) if part.password_file else None
        return LinkSettings(
            client_id=part.client_id or f"branchgate-{self.branch.id}",
            host=part.host,
            port=part.port,
            username=part.username,
            password=password,
            tls_ca=str(part.tls_ca) if part.tls_ca else None,
            tls_certificate=str(part.tls_certificate) if part.tls_certificate else None,
            tls_key=str(part.tls_key) if part.tls_key else None,
            receive_maximum=part.receive_maximum,
            keepalive_s=part.keepalive_s,
            heartbeat_s=part.heartbeat_s,
            backoff_min_s=part.backoff_min_s,
            backoff_max_s=part.backoff_max_s,
            max_events_per_s=part.max_events_per_s,
        )

    def load_scenes(self) -> dict[str, Scene]:
        """The scenes of this branch. Raises BadScene."""
        return load_scenes(self.scenes.folders)


def _password(path: Path) -> str:
    try:
        return read_text(path, MAX_PASSWORD_BYTES).strip()
    except Unreadable as bad:
        raise BadConfig([Problem(str(path), bad.line, Saying("password_file", {"why": unreadable(bad)}))]) from bad


def load(path: Path) -> Settings:
    """Reads a file. Raises BadConfig."""
    try:
        text = read_text(path, MAX_BYTES)
    except Unreadable as bad:
        raise BadConfig([Problem(str(path), bad.line, unreadable(bad))]) from bad
    return parse(text, str(path))


def parse(text: str, file: str = "branch.toml") -> Settings:
    """TOML text -> Settings whose parts fit together. Raises BadConfig with every problem found."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise BadConfig([Problem(file, 1, Saying("file_too_large", {"bytes": MAX_BYTES}))])
    try:
        members = members_of(text)
    except Unreadable as bad:
        raise BadConfig([Problem(file, bad.line, unreadable(bad))]) from bad
    try:
        settings = Settings.model_validate(members)
    except ValidationError as error:
        raise BadConfig(misfits(text, file, error, MAX_PROBLEMS)) from None
    problems = _fit_together(settings, text, file)
    if problems:
        raise BadConfig(problems[:MAX_PROBLEMS])
    return settings


def _fit_together(settings: Settings, text: str, file: str) -> list[Problem]:
    found: list[Problem] = []
    try:
        require_loopback(settings.link.host)
    except NotLoopbackError as error:
        why = {name: Word("os", value) if name == "error" else value for name, value in error.places.items()}
        found.append(at(text, file, ("link", "host"), Saying(error.code, why)))
    if settings.link.backoff_max_s < settings.link.backoff_min_s:
        found.append(at(text, file, ("link", "backoff_max_s"), Saying("backoff_upside_down")))
    ids = [d.id for d in settings.device]
    for number, device in enumerate(settings.device):
        if device.id in ids[:number]:
            found.append(at(text, file, ("device", number, "id"), Saying("device_id_twice", {"id": repr(device.id)})))
        found += _check_kind(device, number, text, file)
    return found + _check_addresses(settings, text, file) + _check_scenes(settings, text, file)


def _check_kind(device: DevicePart, number: int, text: str, file: str) -> list[Problem]:
    try:
        kind_of(device.kind).profile.model_validate(device.profile)
    except UnknownKindError as error:
        return [at(text, file, ("device", number, "kind"), Saying(error.code, error.places))]
    except ValidationError as error:
        return misfits(text, file, error, MAX_PROBLEMS, ("device", number, "profile"))
    return []


def _check_addresses(settings: Settings, text: str, file: str) -> list[Problem]:
    """Each address can be meant, one port has one way of being opened, and no machine has two lanes."""
    found: list[Problem] = []
    lines = Lines(open_address)  # names links, opens none
    seen: list[tuple[SharedLine, object, str]] = []
    for number, device in enumerate(settings.device):
        place = ("device", number, "address")
        try:
            line = lines.line(device.address)
        except AddressError as error:
            found.append(at(text, file, place, Saying(error.code, error.places)))
            continue
        unit = _unit(device)
        if first := next((id_ for other, its, id_ in seen if other is line and its == unit), None):
            found.append(at(text, file, place, Saying("same_machine", {"first": repr(first)})))
        seen.append((line, unit, device.id))
    return found


def _unit(device: DevicePart) -> object:
    """What tells a machine from others on its line: the unit of its profile, else the profile as a whole."""
    try:
        profile = kind_of(device.kind).profile.model_validate(device.profile)
    except (UnknownKindError, ValidationError):
        return device.id  # told already
    return getattr(profile, "unit", profile)


def _check_scenes(settings: Settings, text: str, file: str) -> list[Problem]:
    """Scenes must be readable, and the devices that have a role must offer the acts that scenes ask of it."""
    try:
        scenes = settings.load_scenes()
    except BadScene as bad:
        return bad.problems
    found: list[Problem] = []
    for number, device in enumerate(settings.device):
        try:
            acts = kind_of(device.kind).acts
        except UnknownKindError:
            continue
        wanted = {a for s in scenes.values() for p in s.step if p.role == device.role for a in (p.act, p.undo) if a}
        if missing := sorted(wanted - set(acts)):
            places = {"role": repr(device.role), "acts": ", ".join(missing), "kind": repr(device.kind)}
            found.append(at(text, file, ("device", number, "role"), Saying("acts_not_offered", places)))
    return found
