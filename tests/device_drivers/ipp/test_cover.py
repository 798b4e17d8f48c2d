"""The sheet before a reprint: a PDF whose table of places is right, with the words drawn in it and in its title."""

from __future__ import annotations

import re
import zlib

import pytest

from device_drivers.ipp.cover import DOTS, cover_pdf
from device_drivers.pictures.canvas import Canvas

SHA = "a" * 64


def picture(pdf: bytes) -> list[bytes]:
    """The rows of the one image."""
    found = re.search(
        rb"/Width (\d+)/Height (\d+)/ImageMask true/Decode\[1 0\].*?stream\n(.*?)\nendstream", pdf, re.DOTALL
    )
    assert found is not None
    data = zlib.decompress(found[3])
    stride = (int(found[1]) + 7) // 8
    rows = [data[at : at + stride] for at in range(0, len(data), stride)]
    assert (int(found[1]), len(rows)) == (DOTS, int(found[2]))
    return rows


def test_every_place_of_the_table_is_an_object_and_every_length_is_right() -> None:
    pdf = cover_pdf("O-17/print/2", 1, SHA)
    table = int(pdf.split(b"startxref\n")[1].split(b"\n")[0])
    assert pdf[table : table + 4] == b"xref"
    places = [int(line[:10]) for line in pdf[table:].split(b"\n")[3:9]]
    for number, place in enumerate(places, start=1):
        assert pdf[place:].startswith(b"%d 0 obj\n" % number)
    for length, stream in re.findall(rb"/Length (\d+)>>\nstream\n(.*?)\nendstream", pdf, re.DOTALL):
        assert int(length) == len(stream)
    assert pdf.endswith(b"%%EOF\n")


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("reprint", [1, 12])
def test_it_says_that_it_is_a_reprint_and_which(reprint: int) -> None:
    pdf = cover_pdf("O-17/print/2", reprint, SHA)
    assert b"/Title(REPRINT %d No. O-17/print/2)" % reprint in pdf
    drawn = Canvas(DOTS)
    drawn.text(0, 0, f"重印 REPRINT {reprint}", 2, 2, bold=True)
    drawn.extend(48)
    assert tuple(picture(pdf)[:48]) == drawn.rows()[:48]
    named = Canvas(DOTS)
    named.text(0, 0, "No. O-17/print/2")
    assert tuple(picture(pdf)[80:104]) == named.rows()


def test_a_long_or_strange_attempt_is_drawn_whole_and_breaks_no_string_of_the_file() -> None:
    pdf = cover_pdf("O-" + "9" * 200 + "/prínt)/2\\", 1, SHA)
    title = re.search(rb"<</Title\((.*?)\)>>", pdf)
    assert title is not None
    assert b")" not in title[1]
    assert len(picture(pdf)) > len(picture(cover_pdf("O-1/p/1", 1, SHA)))
