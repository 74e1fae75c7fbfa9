"""Which encoding a file is in. Marks at the start, then strict UTF-8, then a reasoned guess.

Spreadsheets on Windows save in a code page and say nowhere in which. Bytes that are letters in one
page are signs in another, so a guess is judged by what stands inside words; where two pages give
equally good words, the countries of the mail addresses in the file decide.
"""

import codecs
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from leads.errors import FileError

#: The code pages our users' programs save in, the likeliest first when nothing else decides.
CODE_PAGES = ("cp1252", "cp1250", "iso8859_2")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CENTRAL = re.compile(rb"@[\w.-]+\.(pl|cz|sk|hu|hr|si|ro|ba|rs)\b", re.IGNORECASE)
_WESTERN = re.compile(
    rb"@[\w.-]+\.(fr|es|pt|it|de|at|dk|se|no|nl|be|fi|is|ie|br|mx)\b", re.IGNORECASE
)
_BLOCK = 1 << 20
#: Bytes that a guess looks at: lines with letters outside ASCII, up to this many.
_SAMPLE = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """How to read a file."""

    #: A Python codec.
    name: str
    #: Nothing in the file says so; other code pages would give text as well.
    guessed: bool
    #: Hex digest of the file's bytes.
    sha256: str


def find_encoding(path: Path, wanted: str | None = None) -> Encoding:
    """Reads the whole file once. `wanted` names a codec and ends the search.

    Raises FileError for an empty file, an unknown codec, or bytes that do not fit it.
    """
    if wanted is not None:
        try:
            wanted = codecs.lookup(wanted).name
        except LookupError as error:
            raise FileError(
                f"There is no encoding {wanted!r}; write utf-8, utf-16, cp1250, iso-8859-2 ..."
            ) from error
    decode = codecs.getincrementaldecoder("utf-8")()
    digest, head, foreign = hashlib.sha256(), b"", bytearray()
    is_utf8 = True
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            head = head or block[: 1 << 16]
            if is_utf8:
                try:
                    decode.decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
            if len(foreign) < _SAMPLE and not block.isascii():
                foreign += b"\n".join(line for line in block.split(b"\n") if not line.isascii())
    if is_utf8:
        try:
            decode.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    _refuse_others(path, head)
    sha256 = digest.hexdigest()
    if wanted is not None:
        return Encoding(name=wanted, guessed=False, sha256=sha256)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name=name, guessed=False, sha256=sha256)
    if name := _without_mark(head):
        return Encoding(name=name, guessed=True, sha256=sha256)
    if is_utf8:
        return Encoding(name="utf-8", guessed=False, sha256=sha256)
    return Encoding(name=_guess(bytes(foreign[:_SAMPLE]), head), guessed=True, sha256=sha256)


def _refuse_others(path: Path, head: bytes) -> None:
    """Files that are no text at all get a sentence of their own."""
    if not head.strip():
        raise FileError(f"{path} is empty")
    if head.startswith(b"PK\x03\x04"):
        raise FileError(f"{path} is a workbook or an archive: save the sheet as CSV (UTF-8) first")
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"\x89PNG", b"SQLite")):
        raise FileError(f"{path} is no text file: export the list as CSV (UTF-8) first")


def _without_mark(head: bytes) -> str:
    """UTF-16 without its mark: every other byte of plain text is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half and odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    if half and even > half * 0.4 and odd < half * 0.1:
        return "utf-16-be"
    return ""


def _guess(foreign: bytes, head: bytes) -> str:
    central, western = len(_CENTRAL.findall(foreign)), len(_WESTERN.findall(foreign))
    best = max(CODE_PAGES, key=lambda name: _plausible(foreign, name, central - western))
    high = sum(byte > 0x7F for byte in foreign)
    letters = sum(chr(byte).isalpha() for byte in foreign if byte <= 0x7F)
    if high > letters * 0.5 or _faults(foreign, best) > high * 0.1:
        # Not one of ours: Cyrillic, Greek, Asian. A library with statistics of languages decides.
        from charset_normalizer import from_bytes

        found = from_bytes(head).best()
        if found is not None:
            return found.encoding
    return best


def _plausible(data: bytes, name: str, central: int) -> float:
    text = data.decode(name, errors="replace")
    score = -10.0 * _faults(data, name)
    # The letters of the languages each page was made for.
    score += sum(text.count(letter) for letter in "ąęćłńśźżĄĆĘŁŃŚŹŻěščřžďťňůőűđ") * (
        0.4 if name != "cp1252" else 0.0
    )
    score += sum(text.count(letter) for letter in "àèìòùâêîûçñãõåøæœÀÈÇÑÅØÆ") * (
        0.4 if name == "cp1252" else 0.0
    )
    return score + (0.1 if name == "cp1250" else 0.0) + (0.2 * central if name != "cp1252" else 0.0)


def _faults(data: bytes, name: str) -> int:
    """Characters that do not belong into text: control characters, signs inside words."""
    text = data.decode(name, errors="replace")
    faults = 0
    for before, here, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if here.isascii():
            continue
        kind = unicodedata.category(here)
        if kind == "Cc" or here == "\ufffd":
            faults += 3
        elif kind[0] in "SN" or here in "¡¿ªº·¸":
            faults += before.isalpha() or after.isalpha()
        elif here.isupper() and before.islower():
            faults += 1
    return faults
