"""The files of letters, made anew from the fonts of Debian's packages, which `scripts/fonts` unpacks before.

Knows fonts' files and the forms of ours; nothing that runs at a branch may need it.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, PcfFontFile

WIDE = "usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"
SIGNS, SIMPLIFIED = "usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2
NARROW = "usr/share/fonts/X11/misc/ter-u24b_iso-8859-1.pcf.gz"
TARGET = Path(__file__).parent / "fonts"
SIDE, BASELINE = 24, 21

_BAR, _LEFT, _RIGHT = b"\x3f\xff\xfc", b"\x38\x00\x00", b"\x00\x00\x1c"
BY_HAND = {"≒": bytes(9) + _LEFT * 3 + bytes(6) + _BAR * 2 + bytes(9) + _BAR * 2 + bytes(6) + _RIGHT * 3 + bytes(12)}


def character_of(lead: int, trail: int) -> str:
    """What GBK means by two bytes, or nothing."""
    try:
        return bytes((lead, trail)).decode("gbk")
    except UnicodeDecodeError:
        return ""


def drawn(character: str, font: ImageFont.FreeTypeFont) -> bytes:
    """24 rows of three bytes, as FreeType makes them of the outline at 24 dots."""
    picture = Image.new("1", (SIDE, SIDE), 0)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1"
    whole = font.getlength(character) >= SIDE
    pen.text((0 if whole else SIDE // 2, BASELINE), character, font=font, fill=1, anchor="ls" if whole else "ms")
    return picture.tobytes()


def font_of(file: Path, index: int = 0) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), SIDE, index, layout_engine=ImageFont.Layout.BASIC)


def lacking(font: ImageFont.FreeTypeFont, characters: Iterable[str]) -> set[str]:
    """Those for which the font has nothing but its box for the unknown."""
    missing = drawn("\U000f0000", font)
    return {one for one in characters if one != "\u3000" and drawn(one, font) in {missing, bytes(3 * SIDE)}}


def wide(font: ImageFont.FreeTypeFont, without: set[str]) -> bytes:
    """126 pages, one a lead byte: their offsets and lengths, then each page deflated; 191 letters a page."""
    pages: list[bytes] = []
    for lead in range(0x81, 0xFF):
        letters = bytearray()
        for trail in range(0x40, 0xFF):
            character = character_of(lead, trail)
            letters += drawn(character, font) if character and character not in without else bytes(3 * SIDE)
        pages.append(zlib.compress(bytes(letters), 9))
    offset, index = 8 * len(pages), b""
    for page in pages:
        index += struct.pack(">II", offset, len(page))
        offset += len(page)
    return index + b"".join(pages)


def signs(font: ImageFont.FreeTypeFont, characters: set[str]) -> bytes:
    """Letters by their code in GBK, two bytes, and behind it 72 bytes of dots; deflated as one."""
    if poor := lacking(font, characters) - BY_HAND.keys():
        raise SystemExit(f"no font has {''.join(sorted(poor))}")
    codes = sorted((one.encode("gbk"), one) for one in characters)
    return zlib.compress(b"".join(code + (BY_HAND.get(one) or drawn(one, font)) for code, one in codes), 9)


def narrow(font_file: Path) -> bytes:
    """95 letters from the blank on: 24 rows of two bytes, the right four dots always white; deflated."""
    glyphs = PcfFontFile.PcfFontFile(BytesIO(gzip.decompress(font_file.read_bytes()))).glyph
    letters = b""
    for code in range(0x20, 0x7F):
        found = glyphs[code]
        assert found, "an ASCII letter is in every font of Latin letters"
        cell = Image.new("1", (16, SIDE), 0)
        cell.paste(found[-1], (0, 0))
        letters += cell.tobytes()
    return zlib.compress(letters, 9)


def main(folder: Path) -> None:
    """Writes the three files."""
    han = font_of(folder / WIDE)
    letters = {character_of(lead, trail) for lead in range(0x81, 0xFF) for trail in range(0x40, 0xFF)} - {""}
    # Punctuation too: its place in the square is another in China than where the first font was drawn.
    rest = lacking(han, letters) | {one for one in letters if 0xA1 <= one.encode("gbk")[0] <= 0xA9}
    made = {
        "wide.bin": wide(han, rest),
        "signs.bin": signs(font_of(folder / SIGNS, SIMPLIFIED), rest),
        "narrow.bin": narrow(folder / NARROW),
    }
    for name, content in made.items():
        (TARGET / name).write_bytes(content)
        sys.stdout.write(f"{name} {len(content)} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
