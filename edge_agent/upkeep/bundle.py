"""Everything that somebody elsewhere needs to understand a box, in one archive, without secrets or personal data.

Knows where each part comes from; what may leave is `scrub`'s affair. Writes one file, and nothing into the branch.
"""

from __future__ import annotations

import io
import json
import os
import platform
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.app import versions
from edge_agent.audit.opened import NoJournal, open_to_read
from edge_agent.audit.verify import verify
from edge_agent.clock.kernel import utc_now
from edge_agent.console.door import NoDoor, hand_in, instruction
from edge_agent.console.journal import worn
from edge_agent.findings import Saying, Word, system_error, unreadable
from edge_agent.hand_written import Unreadable, members_of, read_text
from edge_agent.plain_file import open_own
from edge_agent.settings import MAX_BYTES, BadConfig, Settings, load
from edge_agent.texts import Texts
from edge_agent.upkeep.doctor.found import Found
from edge_agent.upkeep.recording import FOLDER
from edge_agent.upkeep.scrub import Scrub

EVENTS = 500
LOG_LINES = 2000
LOG_S = 20.0
UNIT = "branchgate"
README = """What is in here
config.json      branch.toml as it was read, without comments, secrets masked
doctor.json      what `branchgate doctor` found
box.json         versions, system, memory, disk
agent.json       what the running agent told: clock, link, orders by state, twins
events.jsonl     the last events: types, states, reasons; no facts, parameters, customers
journal.json     what `branchgate journal verify` and `journal wear` say
recordings.json  names and sizes of recordings on the box; take them home with `branchgate tap record` or scp
log.txt          the last lines of the service's log, if there is one

Left out on purpose: password files, addresses' queries, customers, card and banknote serial numbers, documents.
"""
Run = Callable[[list[str]], str]


def _run(command: list[str]) -> str:
    """What a program says; empty where it is not there or does not end."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=LOG_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


@dataclass(slots=True)
class Bundle:
    """One archive in the making; `parts` names what is in it, `missing` why something is not."""

    config: Path
    found: list[Found]
    run: Run = _run
    parts: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    why: dict[str, Word | Saying] = field(default_factory=dict)  # the same in any language

    def write(self, out: Path) -> None:
        """Only its owner may read it. Raises OSError."""
        settings, scrub = _settings(self.config), Scrub(_secrets(self.config))
        fd = open_own(out)
        with os.fdopen(fd, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, make in self._wanted(settings, scrub):
                try:
                    _add(archive, name, make())
                    self.parts.append(name)
                except (OSError, NoDoor, NoJournal, sqlite3.Error, Unreadable, ValueError, KeyError) as error:
                    self.missing[name] = scrub.text(str(error) or type(error).__name__)
                    self.why[name] = _word(error)
            _add(archive, "missing.json", _json(self.missing))

    def _wanted(self, settings: Settings | None, scrub: Scrub) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "README.txt", lambda: README
        yield "config.json", lambda: _json(scrub.config(members_of(read_text(self.config, MAX_BYTES))))
        yield "doctor.json", lambda: _json(scrub.tree([one.as_json(Texts("en")) for one in self.found]))
        yield "box.json", lambda: _json(scrub.tree(_box(settings)))
        yield "log.txt", lambda: _log(scrub, self.run)
        if settings is None:
            return
        folder = settings.journal.folder
        yield "agent.json", lambda: _json(_agent(settings, scrub))
        yield "events.jsonl", lambda: _events(folder, scrub)
        yield "journal.json", lambda: _json(scrub.tree({"verify": verify(folder).as_json(), "wear": worn(folder)}))
        yield "recordings.json", lambda: _json(_recordings(folder))


def _word(error: Exception) -> Word | Saying:
    if isinstance(error, NoDoor):
        return error.why
    return unreadable(error) if isinstance(error, Unreadable) else system_error(error)


def _settings(config: Path) -> Settings | None:
    try:
        return load(config)
    except BadConfig:  # the doctor's findings say what is wrong with it
        return None


def _secrets(config: Path) -> list[str]:
    """What the password file holds, so that it is masked wherever somebody wrote it."""
    try:
        link = members_of(read_text(config, MAX_BYTES)).get("link", {})
        named = Path(str(link["password_file"]))
        return [read_text(named if named.is_absolute() else config.parent / named, 4096).strip()]
    except (Unreadable, OSError, ValueError, KeyError, AttributeError):
        return []


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode("utf-8", "replace")
    entry = tarfile.TarInfo(f"branchgate/{name}")
    entry.size, entry.mode, entry.mtime = len(data), 0o600, int(utc_now().timestamp())
    archive.addfile(entry, io.BytesIO(data))


def _box(settings: Settings | None) -> dict[str, Any]:
    told: dict[str, Any] = {"versions": versions(), "system": platform.platform(), "time": utc_now().isoformat()}
    told |= {"cpus": os.cpu_count(), "load": os.getloadavg()}
    for name in ("meminfo", "uptime"):
        try:
            told[name] = Path("/proc", name).read_text("ascii").splitlines()[:5]
        except OSError:
            told[name] = []
    if settings is not None and settings.journal.folder.exists():
        room = os.statvfs(settings.journal.folder)
        told["disk"] = {"free_bytes": room.f_bavail * room.f_frsize, "bytes": room.f_blocks * room.f_frsize}
        told["files"] = {one.name: one.stat().st_size for one in settings.journal.folder.iterdir() if one.is_file()}
    return told


def _agent(settings: Settings, scrub: Scrub) -> dict[str, Any]:
    asked = instruction(settings.branch.id, "box.look", {}, "/people/bundle")
    told = hand_in(settings.door_folder(), asked)
    if "problem" in told:
        raise NoDoor(str(told.get("message", "")), Word("door_problem", str(told["problem"])))
    devices = {name: scrub.twin(twin) for name, twin in told.pop("devices", {}).items()}
    told.pop("recordings", None)
    return {**scrub.tree(told), "devices": devices}


def _events(folder: Path, scrub: Scrub) -> str:
    with closing(open_to_read(folder)) as db:
        rows = db.execute("SELECT seq, type, time, data FROM outbox ORDER BY seq DESC LIMIT ?", (EVENTS,)).fetchall()
    lines = []
    for row in reversed(rows):
        data = json.loads(row["data"])
        event = scrub.event({**dict(row), "data": data if isinstance(data, dict) else {}})
        lines.append(json.dumps(event, ensure_ascii=False) + "\n")
    return "".join(lines)


def _recordings(folder: Path) -> list[dict[str, Any]]:
    there = folder / FOLDER
    files = sorted(there.iterdir()) if there.is_dir() else []
    return [{"name": one.name, "bytes": one.stat().st_size} for one in files]


def _log(scrub: Scrub, run: Run) -> str:
    """Without the frames that --debug shows: they are what customers were printed."""
    said = run(["journalctl", "-u", UNIT, "-n", str(LOG_LINES), "--no-pager", "-o", "short-iso"])
    if not said.strip():
        raise OSError("no log of the service here")
    return scrub.text("".join(line for line in said.splitlines(keepends=True) if " DEBUG " not in f" {line}"))
