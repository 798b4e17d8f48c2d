"""Checking a configuration and its scenes without moving anything: every finding with file, line and remedy.

Knows what makes a configuration refused, and what is allowed but unwise; it opens no device and no connection.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from device_drivers.catalog import kind_of
from device_drivers.kinds import MayBeBlind
from edge_agent import settings
from edge_agent.console import commissioned
from edge_agent.hand_written import line_of
from edge_agent.orders.scenes import load_scenes
from edge_agent.plain_file import nearest_to
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
    """What a check came to; `settings` where branch.toml itself is right, be it that a file beside it is not."""

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
        for key, where, places in [*_unwise(loaded), *_not_as_seen(config, loaded)]
    ]
    findings += _unreadable_files(loaded, config, text, texts)
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
    found += _roles(loaded)
    found += _blind_cells(loaded)
    if not _can_write(loaded.journal.folder):
        found.append(("folder_not_writable", ("journal", "folder"), {"folder": loaded.journal.folder}))
    return found


def _roles(loaded: Settings) -> list[Unwise]:
    """Scenes that cannot be done though the branch began to equip for them or wrote them, and devices for no scene."""
    found: list[Unwise] = []
    roles = {device.role for device in loaded.device}
    scenes, shipped = loaded.load_scenes(), load_scenes()
    for name, scene in sorted(scenes.items()):
        missing = [role for role in scene.needed_roles if role not in roles]
        meant = scene != shipped.get(name) or len(missing) < len(scene.needed_roles)
        if missing and meant:
            found.append(("role_missing", (), {"scene": name, "roles": ", ".join(missing)}))
    asked = {role for scene in scenes.values() for role in scene.roles}
    anywhere = {step.role for scene in scenes.values() for step in scene.step if not step.place}
    for number, device in enumerate(loaded.device):
        if device.role not in asked and kind_of(device.kind).acts:  # what only observes no scene asks for anything
            places: dict[str, object] = {"device": device.id, "role": device.role, "roles": ", ".join(sorted(asked))}
            found.append(("role_unused", ("device", number, "role"), places))
        elif device.role in asked and not device.place and device.role not in anywhere:
            found.append(("place_missing", ("device", number, "role"), {"device": device.id, "role": device.role}))
    return found


def _not_as_seen(config: Path, loaded: Settings) -> list[Unwise]:
    """Devices that nobody has looked at, or that are written otherwise than they were seen."""
    found: list[Unwise] = []
    for number, device in enumerate(loaded.device):
        places: dict[str, object] = {"device": device.id, "file": commissioned.record_of(config, device.id).name}
        differences = commissioned.unlike(config, device)
        if differences is None:
            found.append(("not_commissioned", ("device", number, "kind"), {"config": config.name, **places}))
        elif differences:
            places["keys"] = ", ".join(differences)
            found.append(("commissioned_otherwise", ("device", number, "profile"), places))
    return found


def _blind_cells(loaded: Settings) -> list[Unwise]:
    """Cells that do not show their item: a person must say of each order what became of it (evidence.md)."""
    found: list[Unwise] = []
    for number, device in enumerate(loaded.device):
        profile = kind_of(device.kind).profile.model_validate(device.profile)
        blind = profile.blind_cells if isinstance(profile, MayBeBlind) else []
        if blind:
            where: tuple[str | int, ...] = ("device", number, "profile")
            found.append(("blind_cells", where, {"device": device.id, "cells": ", ".join(blind)}))
    return found


def _can_write(folder: Path) -> bool:
    """Whether this user could write there, or make the folder. Another user may run the agent, so it is no error."""
    nearest = nearest_to(folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _unreadable_files(loaded: Settings, config: Path, text: str, texts: Texts) -> list[Finding]:
    """Files beside this one that the agent reads when it starts."""
    found: list[Finding] = []
    for key, part, read in (
        ("password_file", "link", loaded.link_settings),
        ("ca_file", "documents", loaded.documents_tls),
    ):
        try:
            read()
        except BadConfig as bad:
            message = texts(f"config.{key}", file=bad.problems[0].file, why=bad.problems[0].words(texts))
            found.append(Finding("error", str(config), line_of(text, (part, key)), key, message))
    return found
