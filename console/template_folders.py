"""The folder of a template with what it takes from the one it is like."""

import re
from pathlib import Path

from templates import MESSAGE, files_like, like_of

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def folder_files(folder: Path) -> dict[str, bytes]:
    """The files of `templates/NAME/`, completed by those of the template that NAME is like."""
    own = _files(folder)
    like = like_of(own.get(MESSAGE, b""))
    # A name and no path: nothing outside the folder of templates is read.
    if not _NAME.fullmatch(like) or not (folder.parent / like).is_dir():
        return own
    return files_like(own, like, _files(folder.parent / like))


def folder_of(folder: Path, file: str) -> str:
    """The name of the template whose folder holds a file of `folder_files`."""
    own = folder / file
    like = like_of((folder / MESSAGE).read_bytes()) if (folder / MESSAGE).is_file() else ""
    return folder.name if own.exists() or not _NAME.fullmatch(like) else like


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
