"""Whether the parts of a branch.toml fit together: devices and kinds, addresses and lines, scenes and roles.

Knows what cannot be seen in one member alone; opens no device and no connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError

from cloud_bridge.sockets import NotLoopbackError, require_loopback
from device_drivers.catalog import UnknownKindError, kind_of
from device_drivers.links.address import AddressError, open_address
from device_drivers.links.line import Lines, SharedLine
from edge_agent.findings import Problem, Saying, Word, at, misfits
from edge_agent.orders.scenes import BadScene
from edge_agent.orders.templates import BadTemplates

if TYPE_CHECKING:
    from edge_agent.settings import DevicePart, Settings

MAX_PROBLEMS = 20  # whoever has more mends these first


def fit_together(settings: Settings, text: str, file: str) -> list[Problem]:
    """Every finding; none when they do."""
    found: list[Problem] = []
    try:
        require_loopback(settings.link.host)
    except NotLoopbackError as error:
        why = {name: Word("os", value) if name == "error" else value for name, value in error.places.items()}
        found.append(at(text, file, ("link", "host"), Saying(error.code, why)))
    if settings.link.backoff_max_s < settings.link.backoff_min_s:
        found.append(at(text, file, ("link", "backoff_max_s"), Saying("backoff_upside_down")))
    found += _check_panel(settings, text, file)
    if settings.clock.source == "lan" and settings.clock.lan_server is None:
        found.append(at(text, file, ("clock", "source"), Saying("lan_server_missing")))
    ids = [d.id for d in settings.device]
    for number, device in enumerate(settings.device):
        if device.id in ids[:number]:
            found.append(at(text, file, ("device", number, "id"), Saying("device_id_twice", {"id": repr(device.id)})))
        if first := _at_the_same_place(device, settings.device[:number]):
            found.append(at(text, file, ("device", number, "place"), Saying("place_twice", {"first": repr(first)})))
        found += _check_kind(device, number, text, file)
        strangers = [name for name in _served(device) if name not in ids]
        place = ("device", number, "profile", "serves")
        found += [at(text, file, place, Saying("serves_no_device", {"name": repr(name)})) for name in strangers]
    return found + _check_addresses(settings, text, file) + _check_scenes(settings, text, file)


def _at_the_same_place(device: DevicePart, others: list[DevicePart]) -> str | None:
    """Another device that orders could mean as well as this one."""
    mine = (device.role, device.place)
    return next((other.id for other in others if device.place and mine == (other.role, other.place)), None)


def _served(device: DevicePart) -> list[str]:
    """The other devices that its profile names, if it names any."""
    try:
        return list(getattr(kind_of(device.kind).profile.model_validate(device.profile), "serves", ()))
    except (UnknownKindError, ValidationError):
        return []  # told already


def _check_panel(settings: Settings, text: str, file: str) -> list[Problem]:
    """Passwords and tokens cross no network in clear."""
    panel = settings.panel
    if panel.listen is None:
        return []
    if (panel.tls_certificate is None) != (panel.tls_key is None):
        return [at(text, file, ("panel", "tls_certificate"), Saying("tls_halves"))]
    if panel.tls_certificate is None:
        try:
            require_loopback(panel.address()[0])
        except NotLoopbackError:
            return [at(text, file, ("panel", "listen"), Saying("panel_needs_tls"))]
    return []


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
        found += [at(text, file, place, saying) for saying in _not_for_kind(device)]
        unit = _unit(device)
        if first := next((id_ for other, its, id_ in seen if other is line and its == unit), None):
            found.append(at(text, file, place, Saying("same_machine", {"first": repr(first)})))
        seen.append((line, unit, device.id))
    return found


def _not_for_kind(device: DevicePart) -> list[Saying]:
    """A line that its driver cannot speak over."""
    try:
        fitting = kind_of(device.kind).lines
    except UnknownKindError:
        return []  # told already
    if urlsplit(device.address).scheme in fitting:
        return []
    schemes = tuple(f"{scheme}://" for scheme in sorted(fitting))
    return [Saying("address_not_for_kind", {"kind": repr(device.kind), "schemes": schemes})]


def _unit(device: DevicePart) -> object:
    """What tells a machine from others on its line: the unit of its profile, else the profile as a whole."""
    try:
        profile = kind_of(device.kind).profile.model_validate(device.profile)
    except (UnknownKindError, ValidationError):
        return device.id  # told already
    return getattr(profile, "unit", profile)


def _check_scenes(settings: Settings, text: str, file: str) -> list[Problem]:
    """Scenes and templates must be readable, and the devices of a role must offer the acts that scenes ask of it."""
    try:
        scenes = settings.load_scenes()
    except (BadScene, BadTemplates) as bad:
        return [_where_named(problem, settings, text, file) for problem in bad.problems]
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


def _where_named(problem: Problem, settings: Settings, text: str, file: str) -> Problem:
    """A folder that is not there is mended where it is named; what is wrong inside of one stays at its own file."""
    part, folders = {
        "no_scene_folder": ("scenes", settings.scenes.folders),
        "no_template_folder": ("receipts", settings.receipts.folders),
    }.get(problem.code, ("", []))
    named = [str(folder) for folder in folders]
    if problem.file not in named:
        return problem
    return at(text, file, (part, "folders", named.index(problem.file)), problem.saying)
