"""What was seen of a device at its commissioning: one small TOML file beside branch.toml, written once and compared.

Knows that file and members of a profile; must not know how anything is seen.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device_drivers.catalog import UnknownKindError, kind_of
from edge_agent.settings import DevicePart

HEAD = "# Seen at the machine (branchgate device commission). What stands under [profile] belongs into branch.toml.\n"


def record_of(config: Path, device: str) -> Path:
    """Where what was seen of a device stands."""
    return config.parent / f"commissioned.{device}.toml"


def keep(config: Path, device: DevicePart, seen: Mapping[str, Any], by: Sequence[str]) -> str:
    """Writes the record, and returns it. Raises OSError."""
    text = write(device, seen, by)
    _replace(record_of(config, device.id), text)
    return text


def write(device: DevicePart, seen: Mapping[str, Any], by: Sequence[str]) -> str:
    """The record: who saw what when, by this machine's own clock."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    lines = [f"device = {_toml(device.id)}", f"kind = {_toml(device.kind)}", f"by = {_toml(list(by))}", f'at = "{now}"']
    return HEAD + "\n".join(lines) + "\n\n" + fragment(seen, "profile")


def fragment(seen: Mapping[str, Any], table: str) -> str:
    """Members of a profile as TOML under `[table]`."""
    plain = [f"{key} = {_toml(value)}" for key, value in seen.items() if not _is_tables(value)]
    text = f"[{table}]\n" + "".join(f"{line}\n" for line in plain)
    for key, value in seen.items():
        for one in value if _is_tables(value) else []:
            text += f"\n[[{table}.{key}]]\n" + "".join(f"{name} = {_toml(what)}\n" for name, what in one.items())
    return text


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(what)}" for name, what in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # text, numbers and flags are written alike


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def unlike(config: Path, device: DevicePart) -> list[str] | None:
    """Where the profile says otherwise than what was seen; None where nothing was, of a kind that wants it seen."""
    try:
        if kind_of(device.kind).commission is None:
            return []
    except UnknownKindError:  # told by others
        return []
    try:
        record = tomllib.loads(record_of(config, device.id).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if record.get("kind") != device.kind or not isinstance(record.get("profile"), dict):
        return None
    return _differences(record["profile"], device.profile)


def _differences(seen: Mapping[str, Any], profile: Mapping[str, Any], inside: str = "") -> list[str]:
    found: list[str] = []
    for key, value in seen.items():
        is_ = profile.get(key)
        if isinstance(value, Mapping):
            found += _differences(value, is_ if isinstance(is_, Mapping) else {}, f"{inside}{key}.")
        elif _is_tables(value):
            by_id = {one.get("id"): one for one in is_ if isinstance(one, dict)} if isinstance(is_, list) else {}
            for one in value:
                found += _differences(one, by_id.get(one.get("id"), {}), f"{inside}{key} {one.get('id')}: ")
        elif (False if is_ is None and value is False else is_) != value:  # a flag that is not set is not up
            found.append(f"{inside}{key}")
    return found
