"""branch.toml: what a branch is, as pydantic models; a mistake names the file, the line, the key and the remedy.

Knows the form of the configuration; whether its parts fit together is `fitting`. Opens no device and no connection.
"""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import DEFAULT_ROOT
from edge_agent.clock.lan import Server
from edge_agent.custody.fetching import MAX_BYTES as MAX_DOCUMENT_BYTES
from edge_agent.findings import Problem, Saying, misfits, unreadable
from edge_agent.fitting import MAX_PROBLEMS, fit_together
from edge_agent.hand_written import PathName, Unreadable, members_of, read_text
from edge_agent.orders.recipe import Scene
from edge_agent.orders.scenes import load_scenes
from edge_agent.orders.templates import Shelf, load_templates
from edge_agent.spellings import CLIENT_ID, KIND, NAME, PLACE, ROLE, TIME_SERVER, TOPIC_ROOT, USERNAME
from edge_agent.upkeep.ceiling import Policy

MAX_BYTES = 256 * 1024
MAX_PASSWORD_BYTES = 4096
MAX_CERTIFICATES_BYTES = 1024 * 1024


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
    reserve_mib: int = Field(default=32, ge=0, le=4096)


class DoorPart(_Part):
    """The socket for those who stand at the box."""

    folder: PathName | None = None
    group: str | None = Field(default=None, pattern=NAME)


class PanelPart(_Part):
    """The branch's own HTTP: local API and pages. Nothing of it is loaded while `listen` is not given."""

    listen: str | None = Field(default=None, pattern=TIME_SERVER)
    tls_certificate: PathName | None = None
    tls_key: PathName | None = None

    def address(self) -> tuple[str, int]:
        """Host and port. Raises ValueError when it does not listen."""
        if self.listen is None:
            raise ValueError("panel.listen is not set")
        host, _, port = self.listen.partition(":")
        return host, int(port or 8443)


class ClockPart(_Part):
    """Who vouches for the time (INS-5)."""

    source: Literal["kernel", "lan", "host"] = "kernel"
    lan_server: str | None = Field(default=None, pattern=TIME_SERVER)

    def server(self) -> Server:
        """Where `lan` asks. Raises ValueError when no server is named."""
        if self.lan_server is None:
            raise ValueError("clock.lan_server is not set")
        host, _, port = self.lan_server.partition(":")
        return Server(host, int(port or 123))


class RetentionPart(_Part):
    """How long the journal keeps what happened, once the centre has it (INS-11)."""

    audit_days: int = Field(default=400, ge=97, le=36_500)
    max_mib: int = Field(default=6144, ge=0, le=1_000_000)  # a busy branch's 400 days are 3.8 GB
    max_rows: int = Field(default=20_000_000, ge=0, le=1_000_000_000)

    def policy(self) -> Policy:
        """The most that the journal may hold."""
        return Policy(self.max_mib * 1024 * 1024, self.max_rows)


class OrdersPart(_Part):
    max_open: int = Field(default=1000, ge=1, le=100_000)


class ScenesPart(_Part):
    folders: list[PathName] = Field(default_factory=list, max_length=16)


class ReceiptsPart(_Part):
    folders: list[PathName] = Field(default_factory=list, max_length=16)


class DocumentsPart(_Part):
    """How the documents that orders bring are fetched."""

    ca_file: PathName | None = None
    max_bytes: int = Field(default=MAX_DOCUMENT_BYTES, ge=1024, le=1024**3)


class DevicePart(_Part):
    """One device: its name, what scenes call it for, what it is and where it is."""

    id: str = Field(pattern=NAME)
    role: str = Field(pattern=ROLE)
    kind: str = Field(pattern=KIND)
    address: str = Field(min_length=1, max_length=300)
    place: str = Field(default="", pattern=PLACE, description="the window or counter where it is, for scenes that ask")
    idle_poll_s: float = Field(default=5.0, gt=0, le=3600)
    observe_s: float | None = Field(default=None, ge=0.1, le=3600)
    profile: dict[str, Any] = Field(default_factory=dict)


class Settings(_Part):
    """The whole of branch.toml."""

    branch: BranchPart
    link: LinkPart = LinkPart()
    journal: JournalPart
    door: DoorPart = DoorPart()
    panel: PanelPart = PanelPart()
    clock: ClockPart = ClockPart()
    retention: RetentionPart = RetentionPart()
    orders: OrdersPart = OrdersPart()
    scenes: ScenesPart = ScenesPart()
    receipts: ReceiptsPart = ReceiptsPart()
    documents: DocumentsPart = DocumentsPart()
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

    def door_folder(self) -> Path:
        """Where the socket for those at the box stands."""
        return self.door.folder or self.journal.folder

    def load_templates(self) -> Shelf:
        """The templates of what this branch prints. Raises BadTemplates."""
        return load_templates(self.receipts.folders)

    def load_scenes(self) -> dict[str, Scene]:
        """The scenes of this branch. Raises BadScene, BadTemplates."""
        return load_scenes(self.scenes.folders, self.load_templates())

    def documents_tls(self) -> Callable[[], ssl.SSLContext]:
        """Who vouches for documents' servers: the system's authorities, or those of `ca_file`. Raises BadConfig."""
        if self.documents.ca_file is None:
            return ssl.create_default_context
        context = _trusting(self.documents.ca_file)
        return lambda: context


def _password(path: Path) -> str:
    try:
        return read_text(path, MAX_PASSWORD_BYTES).strip()
    except Unreadable as bad:
        raise BadConfig([Problem(str(path), bad.line, Saying("password_file", {"why": unreadable(bad)}))]) from bad


def _trusting(path: Path) -> ssl.SSLContext:
    """A context that trusts the authorities of one file, and nobody else. Raises BadConfig."""
    try:
        context = ssl.SSLContext(
            ssl.PROTOCOL_TLS_CLIENT
        )  # trusts nobody yet, while an empty file would trust the system's
        context.load_verify_locations(cadata=read_text(path, MAX_CERTIFICATES_BYTES))
        return context
    except Unreadable as bad:
        why, line = unreadable(bad), bad.line
    except (ssl.SSLError, ValueError, TypeError):  # nothing in it; letters that are in no PEM
        why, line = Saying("no_certificates"), 1
    raise BadConfig([Problem(str(path), line, Saying("ca_file", {"why": why}))])


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
    problems = fit_together(settings, text, file)
    if problems:
        raise BadConfig(problems[:MAX_PROBLEMS])
    return settings
