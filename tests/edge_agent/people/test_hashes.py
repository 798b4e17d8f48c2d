"""Passwords, codes and tokens: what fits, what does not, what can be read nowhere."""

from __future__ import annotations

import pytest

from edge_agent.people import hashes
from edge_agent.people.register import Application, PeopleRefused, Person, check_password, checked_name
from edge_agent.people.roles import MAY, Right, Role, Trust


def test_a_real_hash_fits_its_password_alone() -> None:
    kept = hashes.hashed("Überraschung-9")
    assert kept.startswith("scrypt$14$8$5$")
    assert hashes.fits("U\u0308berraschung-9", kept), "another keyboard composes its letters otherwise"
    assert not hashes.fits("Überraschung-8", kept)
    assert 128 * 8 * 2**hashes.LOG_N <= 16 * 1024 * 1024, "what one sign-in takes of the box's memory"


@pytest.mark.parametrize("kept", ["", "scrypt", "scrypt$14$8$5$!$!", "scrypt$99$8$5$AAAA$AAAA", "x$4$8$1$AAAA$AAAA"])
def test_what_cannot_be_read_fits_nothing(kept: str) -> None:
    assert not hashes.fits("anything at all", kept)


def test_nobodys_hash_costs_what_anybodys_does_and_fits_nothing() -> None:
    assert hashes.NOBODYS.split("$")[:4] == hashes.hashed("some password").split("$")[:4]
    assert not hashes.fits("", hashes.NOBODYS)


def test_two_people_with_one_password_have_two_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "LOG_N", 4)
    assert hashes.hashed("the same one") != hashes.hashed("the same one")


def test_codes_are_read_as_people_write_them() -> None:
    code = hashes.new_code()
    assert len(code.replace("-", "")) == 16
    assert hashes.same_code(f" {code.lower().replace('-', ' ')}", code)
    assert not hashes.same_code(code[:-1] + ("A" if code[-1] != "A" else "B"), code)
    assert not hashes.same_code("", "")
    assert not hashes.same_code("-", "")


def test_nothing_that_is_shown_of_people_holds_a_secret() -> None:
    person = Person("li", Role.TELLER, "scrypt$secret")
    application = Application("till", Trust.READER, "secret")
    assert "secret" not in f"{person} {person!r} {application} {application!r}"


@pytest.mark.parametrize(
    ("name", "spelt"),
    [("Li.Na", "li.na"), (" li.na ", "li.na"), ("/people/li.na", "li.na"), ("ｌｉ．ｎａ", "li.na"), ("8841", "8841")],
)
def test_a_name_has_one_spelling(name: str, spelt: str) -> None:
    assert checked_name(name) == spelt


@pytest.mark.parametrize("name", ["", " ", "li na", "li/na", "-li", "李娜", "a" * 41, "li\nna", "li\0", "/people/"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(PeopleRefused, match="bad_name"):
        checked_name(name)


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "password_length"), ("x" * 201, "password_length"), ("abababababab", "password_simple"),
     ("Long.Name.Of", "password_simple")],
)  # fmt: skip
def test_what_is_no_password(password: str, code: str) -> None:
    with pytest.raises(PeopleRefused, match=code):
        check_password("long.name.of", password)


def test_who_looks_after_the_books_touches_nothing_and_no_application_decides() -> None:
    assert MAY[Role.AUDITOR] == {Right.SEE, Right.AUDIT}
    assert set(MAY) == {*Role, *Trust}
    for trust in Trust:
        assert not MAY[trust] & {Right.RESOLVE, Right.STOCK, Right.VOUCH, Right.PEOPLE, Right.SERVICE}
    assert [trust for trust in Trust if Right.AUDIT in MAY[trust]] == [Trust.AUDIT]
    assert [role for role in Role if Right.PEOPLE in MAY[role]] == [Role.SUPERVISOR]
