"""Who writes: an identity's address, SMTP server, mailbox and limits (`[identity.*]`)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deliverability.warm_up import Schedule

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """The server that takes our mail."""

    host: str = ""
    port: int = 587
    #: `none` is refused for hosts other than loopback unless `allow_plain_text` is also set.
    tls: Tls = "starttls"
    user: str = ""
    #: Already read from the environment or the file that `potok.toml` names; never printed.
    password: str = field(default="", repr=False)
    allow_plain_text: bool = False
    #: A PEM file of certificates to trust besides the system's (a company's own CA).
    ca_file: Path | None = None
    #: Seconds for connecting and for each command (RFC 5321 4.5.3.2 asks for minutes).
    timeout: float = 60.0
    #: Seconds to wait for the answer after the final dot (RFC 5321 4.5.3.2.6: 10 minutes).
    data_timeout: float = 600.0
    #: A folder that gets every message as an .eml file instead: nothing leaves, host is not used.
    outbox: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapServer:
    """Where answers are read by IMAP."""

    host: str
    port: int = 993
    tls: Tls = "implicit"
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """Where answers arrive: a Maildir on this machine or an IMAP account."""

    maildir: Path | None = None
    imap: ImapServer | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one identity may use up, over all its lanes."""

    #: Messages per local day (workspace zone); None means no cap.
    per_day: int | None = None
    #: A new sender's way up: `per_day` still holds where it allows less.
    warm_up: Schedule | None = None
    #: Spread a day's messages over its hours instead of sending them as fast as lanes allow.
    spread: bool = False
    #: Open SMTP connections at the same time.
    connections: int = 10
    #: Messages on one connection before it is closed and opened anew.
    per_connection: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class DkimKey:
    """The key that signs an identity's mail (RFC 6376)."""

    domain: str
    selector: str
    private_key: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A sender as the marketer described it."""

    name: str
    #: Display name of From, may be empty and may hold any letters.
    from_name: str
    #: Address of From.
    from_address: str
    #: Shown at the end of every mail; required by CAN-SPAM (16 CFR 316) and good manners.
    postal_address: str
    smtp: SmtpServer
    reply_to: str = ""
    #: Envelope sender; empty means `from_address`.
    bounce_address: str = ""
    mailbox: Mailbox | None = None
    limits: Limits = Limits()
    dkim: DkimKey | None = None
    #: An Ed25519 key that signs besides `dkim` (RFC 8463); receivers that cannot read it go by the
    #: other signature.
    second_dkim: DkimKey | None = None
    #: Addresses our mail reaches the world from, when they are known: the relay's, not ours.
    egress_ips: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[DkimKey, ...]:
        """What signs the mail, in order."""
        return tuple(key for key in (self.dkim, self.second_dkim) if key is not None)

    @property
    def domain(self) -> str:
        """The domain of From, the right-hand side of our Message-IDs."""
        return self.from_address.rpartition("@")[2].lower()
