"""The register: people and applications as small documents in one file that people can read, and every change of it.

Knows documents and what must hold between them; must not know who changes them, nor the journal.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from tinydb import TinyDB, where
from tinydb.table import Table

from edge_agent.people import hashes
from edge_agent.people.roles import MAY, Right, Role, Trust
from edge_agent.people.staged import StagedStorage

MAX_ENTRIES = 500
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,39}\Z")


class PeopleRefused(Exception):
    """Why something about people is not done: a code of the catalogue's family `people`, and its places."""

    def __init__(self, code: str, **places: object) -> None:
        super().__init__(code)
        self.code = code
        self.places = places


@dataclass(frozen=True, slots=True)
class Person:
    """One of the branch's people. `password` is a hash and never shown."""

    name: str
    role: Role
    password: str
    display: str = ""
    disabled: bool = False

    @property
    def id(self) -> str:
        return f"/people/{self.name}"

    def may(self, right: Right) -> bool:
        return not self.disabled and right in MAY[self.role]

    def __repr__(self) -> str:
        return f"<{self.id} {self.role}>"


@dataclass(frozen=True, slots=True)
class Application:
    """A program of the branch that uses the local API. `token` is a hash and never shown."""

    name: str
    trust: Trust
    token: str

    @property
    def id(self) -> str:
        return f"/applications/{self.name}"

    def may(self, right: Right) -> bool:
        return right in MAY[self.trust]

    def __repr__(self) -> str:
        return f"<{self.id} {self.trust}>"


def spelled(name: str) -> str:
    """The one spelling of a name: width, case and blanks around it make no second person."""
    return unicodedata.normalize("NFKC", name).casefold().strip().removeprefix("/people/").strip()


def checked_name(name: str) -> str:
    """Raises PeopleRefused."""
    if not _NAME.match(spelled(name)):
        raise PeopleRefused("bad_name", name=name[:60])
    return spelled(name)


def check_password(name: str, password: str) -> None:
    """Raises PeopleRefused."""
    if not hashes.MIN_CHARACTERS <= len(password) <= hashes.MAX_CHARACTERS:
        raise PeopleRefused("password_length", least=hashes.MIN_CHARACTERS, most=hashes.MAX_CHARACTERS)
    if spelled(password) == name or len(set(password)) < 4:
        raise PeopleRefused("password_simple")


class Register:
    """Reads from memory; a change is staged in the storage, and is read after `reload`."""

    def __init__(self, storage: StagedStorage) -> None:
        """Raises OSError, ValueError (the file is no register)."""
        self.storage = storage
        self._db = TinyDB(storage=lambda: storage)
        self.people: dict[str, Person] = {}
        self.applications: dict[str, Application] = {}
        self.reload()

    def reload(self) -> None:
        """What the storage says now. Raises OSError, ValueError."""
        try:
            people = [_person(document) for document in self._table("people").all()]
            applications = [_application(document) for document in self._table("applications").all()]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.storage.path.name}: {type(error).__name__} {error}") from error
        self.people = {person.name: person for person in people}
        self.applications = {application.name: application for application in applications}

    def _table(self, name: str) -> Table:
        table = self._db.table(name, cache_size=0)
        table.clear_cache()
        return table

    def find(self, name: str) -> Person | None:
        return self.people.get(spelled(name))

    def get(self, name: str) -> Person:
        """Raises PeopleRefused."""
        person = self.find(name)
        if person is None:
            raise PeopleRefused("unknown_person", name=name[:60])
        return person

    def application_of(self, token: str) -> Application | None:
        kept = hashes.token_hash(token)
        return next((one for one in self.applications.values() if one.token == kept), None)

    # -- changes -------------------------------------------------------------------------------------------------------

    def add(self, person: Person) -> None:
        """Raises PeopleRefused, OSError."""
        if person.name in self.people:
            raise PeopleRefused("name_taken", name=person.name)
        self._check_room(self.people)
        self._table("people").insert(_document(person))

    def change(self, name: str, **members: Any) -> Person:
        """Raises PeopleRefused, OSError."""
        person = replace(self.get(name), **members)
        rest = [one for one in self.people.values() if one.name != person.name]
        if not any(one.may(Right.PEOPLE) for one in (*rest, person)):
            raise PeopleRefused("last_supervisor")
        self._table("people").update(_document(person), where("name") == person.name)
        return person

    def add_application(self, application: Application) -> None:
        """Raises PeopleRefused, OSError."""
        if application.name in self.applications:
            raise PeopleRefused("name_taken", name=application.name)
        self._check_room(self.applications)
        self._table("applications").insert({**_plain(application), "trust": application.trust.value})

    def remove_application(self, name: str) -> None:
        """Raises PeopleRefused, OSError."""
        if name not in self.applications:
            raise PeopleRefused("unknown_application", name=name[:60])
        self._table("applications").remove(where("name") == name)

    @staticmethod
    def _check_room(entries: dict[str, Any]) -> None:
        if len(entries) >= MAX_ENTRIES:
            raise PeopleRefused("too_many", most=MAX_ENTRIES)


def _plain(entry: Person | Application) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in type(entry).__dataclass_fields__}


def _document(person: Person) -> dict[str, Any]:
    return {**_plain(person), "role": person.role.value}


def _person(document: Any) -> Person:
    members = {name: document[name] for name in ("name", "password", "display")}
    return Person(**members, role=Role(document["role"]), disabled=bool(document["disabled"]))


def _application(document: Any) -> Application:
    return Application(document["name"], Trust(document["trust"]), document["token"])
