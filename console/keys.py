"""The installation's keys (`potok.keys`): what turns addresses into keys and signs links.

Made once by `potok init`, readable by the owner alone, never in version control. Links are signed
with the first key and believed under any, so a key is rotated by putting a new one in front.
"""

import os
import secrets
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from console.errors import KeysMissing

FILE = "potok.keys"
#: 256 bits each, the size of the hash they key (RFC 2104 3).
KEY_BYTES = 32

_HEAD = """\
# Keys of this workspace. Keep a copy where the backups are, and show it to nobody.
# Without `address` no lead is recognised again and every suppression is lost;
# without `links` the opt-out links in mails already sent stop working.
# To rotate: put a new key in FRONT of `links`; old ones stay as long as old mails matter.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """Secrets; never printed."""

    #: Keys `leads.address_key`.
    address: bytes = field(repr=False)
    #: Sign links: the first one signs, all are believed.
    links: tuple[bytes, ...] = field(repr=False)


def new_keys() -> Keys:
    """Fresh keys from the system's randomness."""
    return Keys(address=secrets.token_bytes(KEY_BYTES), links=(secrets.token_bytes(KEY_BYTES),))


def read_keys(workspace: Path) -> Keys:
    """The keys of a workspace. Raises KeysMissing: what is lost without them, what to do."""
    path = workspace / FILE
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise KeysMissing(
            f"{path} is missing. Without it no lead and no suppression is recognised and opt-out "
            "links in sent mails do not work: put the file back from the backup"
        ) from error
    except PermissionError as error:
        raise KeysMissing(f"{path} cannot be read: see that it belongs to you") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    try:
        links = tuple(bytes.fromhex(text) for text in data["links"])
        keys = Keys(address=bytes.fromhex(data["address"]), links=links)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    if not links or min(len(key) for key in (keys.address, *links)) < KEY_BYTES:
        raise _damaged(path)
    return keys


def write_keys(workspace: Path, keys: Keys) -> None:
    """Writes the file for its owner alone. Raises FileExistsError rather than replace one."""
    links = ", ".join(f'"{key.hex()}"' for key in keys.links)
    text = f'{_HEAD}address = "{keys.address.hex()}"\nlinks = [{links}]\n'
    # Made with its mode, so that there is no moment in which others can read it.
    handle = os.open(workspace / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def open_to_others(workspace: Path) -> bool:
    """Whether other users of this machine may read the keys (never on Windows)."""
    return os.name == "posix" and bool((workspace / FILE).stat().st_mode & 0o077)


def _damaged(path: Path) -> KeysMissing:
    return KeysMissing(f"{path} is damaged: put the file back from the backup")
