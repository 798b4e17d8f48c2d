"""The sheet that goes before a reprint, as a PDF of one A4 page: 重印 REPRINT n, which document, which attempt.

Knows its words and the few PDF objects around one picture; must not know printers. The letters are drawn as dots, so
that no printer needs a Chinese font; what the sheet says stands in the file's title too, for machines.
Source: ISO 32000-1, 7.5 (file structure), 8.9.5 (images).
"""

from __future__ import annotations

import zlib

from device_drivers.pictures.canvas import Canvas

MEDIA_TYPE = "application/pdf"
DOTS = 720  # across the page's text; a letter of 24 dots is then 16 points wide
_A4 = (595, 842)  # points
_MARGIN = 57
_LINE = 40  # dots from one line of text to the next


def cover_pdf(attempt: str, reprint: int, sha256: str) -> bytes:
    """The file. The attempt's id is cut into lines where it is long."""
    canvas = Canvas(DOTS)
    canvas.text(0, 0, f"重印 REPRINT {reprint}", 2, 2, bold=True)
    lines = [*_wrapped(f"No. {attempt}"), "", *_wrapped(f"SHA-256 {sha256}"), ""]
    lines += [
        "此页之后为重印文件；原件可能已经打印。",
        "The document after this sheet is a reprint;",
        "the original may exist.",
    ]
    for number, line in enumerate(lines):
        canvas.text(0, 80 + number * _LINE, line)
    rows = canvas.rows()
    title = f"REPRINT {reprint} No. {attempt}"
    return _file(rows, title)


def _wrapped(text: str) -> list[str]:
    """Lines of ASCII letters, 12 dots each; what is not ASCII is told as ?."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    width = DOTS // 12
    return [plain[at : at + width] for at in range(0, len(plain), width)]


def _file(rows: tuple[bytes, ...], title: str) -> bytes:
    wide = _A4[0] - 2 * _MARGIN
    high = wide * len(rows) / DOTS
    place = f"q {wide} 0 0 {high:.2f} {_MARGIN} {_A4[1] - _MARGIN - high:.2f} cm /I Do Q".encode("ascii")
    picture = zlib.compress(b"".join(rows), 9)
    words = "".join(char if " " <= char <= "~" and char not in "()\\" else "?" for char in title)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {_A4[0]} {_A4[1]}]"
        "/Resources<</XObject<</I 4 0 R>>>>/Contents 5 0 R>>".encode("ascii"),
        f"<</Type/XObject/Subtype/Image/Width {DOTS}/Height {len(rows)}/ImageMask true"
        f"/Decode[1 0]/Filter/FlateDecode/Length {len(picture)}>>".encode("ascii")
        + _stream(picture),
        f"<</Length {len(place)}>>".encode("ascii") + _stream(place),
        f"<</Title({words})>>".encode("ascii"),
    )
    return _joined(objects)


def _stream(data: bytes) -> bytes:
    return b"\nstream\n" + data + b"\nendstream"


def _joined(objects: tuple[bytes, ...]) -> bytes:
    """The objects with their table of places, which readers go by."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(objects),
        table,
    )
    return bytes(out)
