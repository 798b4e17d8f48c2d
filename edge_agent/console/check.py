"""Checking a configuration and its scenes without moving anything: every finding with file, line and remedy.

Knows what makes a configuration refused, and what is allowed but unwise; it opens no device and no connection.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from edge_agent import settings
from edge_agent.hand_written import line_of
from edge_agent.settings import BadConfig, Settings
from edge_agent.texts import Texts


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. An error stops the agent from starting; a warning does not."""

    level: Literal["error", "warning"]
    file: str
    line: int
    code: str  # stable, for scripts
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to; `settings` only when nothing is an error."""

    file: str
    findings: list[Finding]
    settings: Settings | None

    @property
    def good(self) -> bool:
        return not any(finding.level == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "ok": self.good, "findings": [asdict(finding) for finding in self.findings]}


def check(config: Path, texts: Texts) -> Checked:
    """Everything that can be said of a branch.toml and the scenes that it names."""
    try:
        loaded = settings.load(config)
    except BadConfig as bad:
        return Checked(
            str(config), [Finding("error", p.file, p.line, p.code, p.words(texts)) for p in bad.problems], None
        )
    text = config.read_text("utf-8")
    findings = [
        Finding("warning", str(config), line_of(text, where), key, texts(f"config.{key}", **places))
        for key, where, places in _unwise(loaded)
    ]
    findings += _unreadable_password(loaded, config, text, texts)
    return Checked(str(config), findings, loaded)


Unwise = tuple[str, tuple[str | int, ...], dict[str, object]]


def _unwise(loaded: Settings) -> list[Unwise]:
    found: list[Unwise] = []
    if loaded.journal.adoption == "automatic":
        found.append(("adoption_automatic", ("journal", "adoption"), {}))
    if loaded.clock.source == "host":
        found.append(("clock_host", ("clock", "source"), {}))
    if not loaded.device:
        found.append(("no_devices", (), {}))
    roles = {device.role for device in loaded.device}
    for name, scene in sorted(loaded.load_scenes().items()):
        if missing := [role for role in scene.roles if role not in roles]:
            found.append(("role_missing", (), {"scene": name, "roles": ", ".join(missing)}))
    if not _can_write(loaded.journal.folder):
        found.append(("folder_not_writable", ("journal", "folder"), {"folder": loaded.journal.folder}))
    return found


def _can_write(folder: Path) -> bool:
    """Whether this user could write there, or make the folder. Another user may run the agent, so it is no error."""
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _unreadable_password(loaded: Settings, config: Path, text: str, texts: Texts) -> list[Finding]:
    try:
        loaded.link_settings()
    except BadConfig as bad:
        why = bad.problems[0].words(texts)
        message = texts("config.password_file", file=bad.problems[0].file, why=why)
        return [Finding("error", str(config), line_of(text, ("link", "password_file")), "password_file", message)]
    return []
