"""A new workspace: the files `potok init` writes, put in place whole or not at all."""

import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path

from console.errors import Refused
from console.keys import new_keys, write_keys
from console.settings import FILE, read_settings
from console.starting_files import campaign_file, gitignore, segment_files, settings_file
from console.wiring import Workspace, bring_up_to_date, open_database
from console.workspace import apply
from templates import starters

STAGES = ("new", "contacted", "qualified", "demo", "proposal", "won", "lost")


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """How an identity's mail leaves."""

    host: str
    port: int
    tls: str = "starttls"
    #: Login name; empty for none.
    user: str = ""
    #: IMAP server of the same account, if known.
    imap: str = ""
    #: Mails a day the mail company allows, if known.
    per_day: int | None = None
    #: What the company wants done first.
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What `potok init` asks; the defaults are those of `--yes`."""

    #: `Anna Nowak <anna@example.com>`.
    sender: str = "You <you@example.com>"
    postal_address: str = "Your Company, 1 Your Street, Your Town"
    time_zone: str = "UTC"
    stages: tuple[str, ...] = STAGES
    #: None: mails become files in `outbox/`, nothing leaves.
    server: Server | None = None

    @property
    def identity(self) -> str:
        """The identity's name: the sender's first name, or the start of the address."""
        shown, address = parseaddr(self.sender)
        for text in (shown.split(" ")[0], address.partition("@")[0], "sender"):
            plain = text.translate(_LETTERS)
            plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
            name = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40]
            if name:
                return name
        raise AssertionError("the last of the texts is a name")

    @property
    def password_variable(self) -> str:
        return self.identity.upper().replace("-", "_") + "_SMTP_PASSWORD"


#: Letters that Unicode does not take apart.
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "đ": "d"})


def make_workspace(path: Path, answers: Answers, *, now: datetime) -> list[str]:
    """Writes a workspace into `path`, makes its database and applies everything.

    Files are made beside and moved in at the end, `potok.toml` last, so that whatever goes wrong
    leaves no half workspace. Returns the names written. Raises Refused when `path` is a workspace
    already or holds something of the same name.
    """
    existed = path.is_dir()
    if path.exists() and not existed:
        raise Refused(f"{path} is a file; name a folder")
    if (path / FILE).exists():
        raise Refused(f"{path} is a workspace already; nothing was changed")
    above = path if existed else _nearest_folder(path)
    draft = Path(tempfile.mkdtemp(prefix=".potok-init-", dir=above))
    try:
        _write(draft, answers, now=now)
        names = sorted(
            (each.name for each in draft.iterdir()), key=lambda name: (name == FILE, name)
        )
        taken = [name for name in names if (path / name).exists()]
        if taken:
            raise Refused(
                f"{path} already has {', '.join(taken)}; name a new or empty folder, or move it "
                "away"
            )
        if existed:
            _move_in(draft, path, names)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return names


def _nearest_folder(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.is_dir())


def _move_in(draft: Path, path: Path, names: list[str]) -> None:
    moved: list[Path] = []
    try:
        for name in names:
            moved.append((draft / name).rename(path / name))
    except BaseException:
        for each in moved:
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        raise


def _write(draft: Path, answers: Answers, *, now: datetime) -> None:
    files: dict[str, bytes] = {
        FILE: settings_file(answers).encode(),
        ".gitignore": gitignore().encode(),
        "campaigns/welcome.toml": campaign_file(answers.identity).encode(),
    }
    for name, text in segment_files(answers.stages).items():
        files[f"segments/{name}.toml"] = text.encode()
    for name, parts in starters().items():
        for file, data in parts.items():
            files[f"templates/{name}/{file}"] = data
    for name, data in files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_bytes(data)
    keys = new_keys()
    write_keys(draft, keys)
    settings = read_settings(draft)
    database = open_database(settings, create=True)
    try:
        bring_up_to_date(database, settings)
        apply(Workspace(path=draft, settings=settings, database=database, keys=keys), now=now)
    finally:
        database.close()
