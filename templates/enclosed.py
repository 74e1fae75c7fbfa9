"""Files that travel inside the mail: pictures the HTML shows, and attachments.

Both lie in the template's folder (pictures for all templates beside them: `_logo.png`) and are
frozen with the version, base64 as it will travel, so that no message encodes anything.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from urllib.parse import unquote

from templates.errors import SourceError

#: Bytes of one file, and of all files of a template together, before base64 makes them a third
#: larger. Many servers refuse mails of more than 10 MB, and every recipient downloads it all.
MAX_FILE = 1_000_000
MAX_TOGETHER = 5_000_000

PICTURES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
}
#: Ending to type: a table of our own, since the system's differs from machine to machine.
TYPES = {
    **PICTURES,
    "pdf": "application/pdf",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "csv": "text/csv",
    "txt": "text/plain",
    "html": "text/html",
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}
#: RFC 2045 5.1: type, subtype, parameters.
MEDIA_TYPE = re.compile(
    r"[a-z]+/[a-z0-9][a-z0-9.+-]*(?:; ?[a-z0-9-]+=(?:[A-Za-z0-9._+-]+|\"[A-Za-z0-9 ._+:/-]*\"))*"
)

_NAMED = re.compile(
    r"(?P<before>[=(,]\s*[\"']?\s*)cid:(?P<name>[^\"'\s)<>]*)"
    r"|(?P<start>(?<![\w-])(?:src|background)\s*=\s*(?P<quote>[\"']))(?P<plain>[^\"'{}<>:]+)(?P=quote)"
    r"|(?P<url>url\(\s*[\"']?\s*)(?P<inside>[^\"'(){}<>:]+)(?=\s*[\"']?\s*\))"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosed:
    """One file inside a mail."""

    #: The name people see. In a compiled template's attachments: its Jinja source.
    name: str
    #: `image/png`.
    type: str
    #: Base64 in lines of 76 characters with CRLF between them, as it travels (RFC 2045 6.8).
    data: str
    #: How the HTML calls a picture (RFC 2392); empty for an attachment.
    cid: str = ""
    #: The file it came from.
    file: str = ""
    #: The line of message.toml that names it; 0 for a picture.
    line: int = 0


def type_of(file: str) -> str:
    """The media type its ending stands for."""
    return TYPES.get(file.rpartition(".")[2].lower(), "application/octet-stream")


def is_picture(file: str) -> bool:
    """Whether a mail can show it."""
    return file.rpartition(".")[2].lower() in PICTURES


def is_partial(file: str) -> bool:
    """Whether a file beside the folders is for all templates: `_footer.html`, `_logo.png`."""
    return file.startswith("_") and (file.endswith(".html") or is_picture(file))


def content_id(file: str, data: bytes) -> str:
    """The picture's own name all over the world (RFC 2392 2): its file's, and a digest of it."""
    digest = sha256(data).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9.-]+|\.(?=\.|$)|^\.", "", file) or "picture"
    return f"{plain[:40].strip('.')}@{digest[:16]}.{digest[16:24]}"


def travelling(data: bytes) -> str:
    """Base64 in lines of 76 characters."""
    text = b64encode(data).decode()
    return "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))


def picture(file: str, data: bytes) -> Enclosed:
    """A picture of the HTML."""
    cid = content_id(file, data)
    return Enclosed(
        name=file.lstrip("_"), type=type_of(file), data=travelling(data), cid=cid, file=file
    )


def bytes_of(enclosed: Enclosed) -> bytes:
    """The file as it was."""
    return b64decode(enclosed.data)


class Pictures:
    """The pictures of a folder, and which of them its texts show."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {name: data for name, data in files.items() if is_picture(name)}
        self._cids = {content_id(name, data): name for name, data in self._files.items()}
        self.used: dict[str, Enclosed] = {}

    def name(self, text: str, file: str) -> str:
        """HTML source with each picture called by its Content-ID.

        Raises SourceError for `cid:` without a file, or one that only rendering would tell.
        """

        def put(found: re.Match[str]) -> str:
            if found["before"] is not None:
                line = text.count("\n", 0, found.start()) + 1
                return f"{found['before']}cid:{self._wanted(found['name'], f'{file}:{line}')}"
            start, name = found["start"] or found["url"], found["plain"] or found["inside"]
            name = unquote(name.strip()).removeprefix("./")
            if name not in self._files:
                return found[0]
            return f"{start}cid:{self._use(name)}{found['quote'] or ''}"

        return _NAMED.sub(put, text)

    def _wanted(self, called: str, where: str) -> str:
        if "{" in called:
            do = "write each name out: {% if ... %}cid:a.png{% else %}cid:b.png{% endif %}"
            what = "the name of a picture inside the mail cannot be made by Jinja"
            raise SourceError(where, what, do, id="missing-image")
        name = self._cids.get(called, unquote(called))
        if name not in self._files:
            near = get_close_matches(name, list(self._files), n=1, cutoff=0.6)
            known = ", ".join(sorted(self._files)) or "no picture at all"
            do = f'did you mean "{near[0]}"?' if near else f"the folder has {known}"
            what = f'there is no picture "{name}" in the folder'
            raise SourceError(where, what, do, id="missing-image")
        return self._use(name)

    def _use(self, name: str) -> str:
        if name not in self.used:
            self.used[name] = picture(name, self._files[name])
        return self.used[name].cid


def require_size(sizes: Mapping[str, int]) -> None:
    """Raises SourceError when one file, or all together, are more than a mail should carry."""
    for name, size in sizes.items():
        if size > MAX_FILE:
            raise SourceError(
                name,
                f"has {size / 1e6:.1f} MB; a file inside a mail may have {MAX_FILE / 1e6:g} MB",
                "make it smaller, or put it on your web site and link it",
                id="too-large",
            )
    if (whole := sum(sizes.values())) > MAX_TOGETHER:
        raise SourceError(
            max(sizes, key=lambda name: sizes[name]),
            f"with the other files has {whole / 1e6:.1f} MB; all files inside a mail together may "
            f"have {MAX_TOGETHER / 1e6:g} MB",
            "make them smaller, or put them on your web site and link them",
            id="too-large",
        )


#: Marks that turn the direction of writing: `invoice[U+202E]fdp.exe` reads `invoiceexe.pdf`.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_NO_FILE = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029/\\:*?"<>|]+')


def file_name(text: str) -> str:
    """`text` as the name of a file anywhere; empty when nothing is left of it.

    A very long name is cut before its ending, to what every file system takes (255 bytes).
    """
    name = " ".join(_NO_FILE.sub(" ", _TURNING.sub("", text)).split()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = name, "", ""
    while len(f"{stem}{dot}{ending}".encode()) > 200:
        stem = stem[: min(len(stem) - 1, 180)].rstrip()
    return f"{stem}{dot}{ending}"
