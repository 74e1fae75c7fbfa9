"""`[identity.*]` of `potok.toml` as values of `deliverability`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.headerregistry import Address as HeaderAddress
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path

from console.errors import SettingsError
from console.sections import Section
from deliverability import (
    DkimKey,
    Identity,
    ImapServer,
    Limits,
    Mailbox,
    SmtpServer,
    Tls,
    is_loopback,
    own_schedule,
    shipped_schedules,
)

#: What a server listens on when the file names no port (RFC 8314 3.3; RFC 6409 3.1).
PORTS: dict[Tls, int] = {"implicit": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True, kw_only=True, slots=True)
class Secrets:
    """Where passwords come from, and which were not there."""

    #: Reads one environment variable.
    variable: Callable[[str], str | None]
    #: `anna.smtp` -> what is missing and how to give it.
    missing: dict[str, str] = field(default_factory=dict)

    def password(self, name: str, table: Section, workspace: Path) -> str:
        """The secret of a login; empty, with a sentence in `missing`, when it is not there."""
        env, file = table["password_env"], table["password_file"]
        if env and file:
            raise table.error("password_file", "give password_env or password_file, not both")
        if not table["user"]:
            # user = "" said on purpose means a server that wants no login; forgetting it is a slip.
            if (env or file) and not table.given("user"):
                raise table.error("password_env", 'a password needs a login: write user = "..."')
            return ""
        if env:
            if value := self.variable(env):
                return value
            how = (
                f"set the environment variable {env} (in this shell: read -rs {env}; export {env})"
            )
        elif file:
            if line := _first_line(workspace / file):
                return line
            how = f"write it as the first line of {workspace / file} (chmod 600)"
        else:
            raise table.error(
                "user",
                f'user = "{table["user"]}" needs a password: write password_env = "NAME" (a '
                'variable that holds it) or password_file = "FILE"',
            )
        what = str(table.path[-1])
        self.missing[f"{name}.{what}"] = (
            f"The {what.upper()} password of identity {name!r} is not there: {how}"
        )
        return ""


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return lines[0] if lines else ""


def read_identity(name: str, table: Section, workspace: Path, secrets: Secrets) -> Identity:
    from_name, from_address = _mail_address(table, "from")
    smtp = table.table("smtp")
    outbox = table.table("outbox")
    if bool(smtp.data) == bool(outbox.data):
        raise table.error(
            "smtp",
            f"write either [identity.{name}.smtp] (a mail server) or [identity.{name}.outbox] "
            "(a folder, for trying out)",
        )
    dkim = table.table("dkim")
    limits = table.table("limits")
    return Identity(
        name=name,
        from_name=from_name,
        from_address=from_address,
        postal_address=table["postal_address"],
        reply_to=_mail_address(table, "reply_to")[1] if table["reply_to"] else "",
        bounce_address=_mail_address(table, "bounce_address")[1] if table["bounce_address"] else "",
        smtp=_smtp(name, smtp, workspace, secrets)
        if smtp.data
        else SmtpServer(outbox=workspace / outbox["folder"]),
        mailbox=_mailbox(name, table.table("mailbox"), workspace, secrets),
        limits=_limits(limits),
        dkim=_key(dkim, from_address, workspace, "selector", "private_key") if dkim.data else None,
        second_dkim=_second_key(dkim, from_address, workspace),
        egress_ips=_addresses(table),
    )


def _key(table: Section, sender: str, workspace: Path, selector: str, file: str) -> DkimKey:
    return DkimKey(
        domain=table["domain"] or sender.rpartition("@")[2].lower(),
        selector=table[selector],
        private_key=workspace / table[file],
    )


def _second_key(table: Section, sender: str, workspace: Path) -> DkimKey | None:
    given = [table.data.get(key) for key in ("ed25519_selector", "ed25519_key")]
    if not any(given):
        return None
    if not all(given):
        raise table.error(
            "ed25519_key", "a second key needs both: ed25519_selector and ed25519_key"
        )
    if table["ed25519_selector"] == table["selector"]:
        # RFC 8463 4: one record holds one key.
        raise table.error("ed25519_selector", "two keys cannot have one name in DNS")
    return _key(table, sender, workspace, "ed25519_selector", "ed25519_key")


def _addresses(table: Section) -> tuple[str, ...]:
    found = []
    for text in table["egress_ips"] or ():
        try:
            found.append(str(ip_address(text.strip())))
        except ValueError as error:
            raise table.error(
                "egress_ips", f'"{text}" in egress_ips is no address: write "203.0.113.7"'
            ) from error
    return tuple(found)


def _limits(table: Section) -> Limits:
    if table.given("warm_up") and table.given("warm_up_steps"):
        raise table.error("warm_up", "give warm_up or warm_up_steps, not both")
    warm_up = None
    if table.given("warm_up"):
        warm_up = shipped_schedules()[table["warm_up"]]
    elif table.given("warm_up_steps"):
        steps = tuple(table["warm_up_steps"])
        if list(steps) != sorted(steps):
            raise table.error(
                "warm_up_steps", "warm_up_steps go up: write the smallest number of a day first"
            )
        warm_up = own_schedule(steps)
    spread = table["spread"] if table.given("spread") else warm_up is not None
    if spread and warm_up is None and table["per_day"] is None:
        raise table.error("spread", "spread needs a number to spread: write per_day as well")
    return Limits(
        per_day=table["per_day"],
        connections=table["connections"],
        per_connection=table["per_connection"],
        warm_up=warm_up,
        spread=spread,
    )


def _mail_address(table: Section, key: str) -> tuple[str, str]:
    text: str = table[key]
    shown, address = parseaddr(text)
    try:
        if any(ord(letter) < 32 for letter in text):
            raise ValueError(text)
        parsed = HeaderAddress(addr_spec=address)
    except (ValueError, IndexError) as error:
        raise _no_address(table, key, text) from error
    if not parsed.domain or not parsed.username or " " in address:
        raise _no_address(table, key, text)
    return shown, address


def _no_address(table: Section, key: str, text: str) -> SettingsError:
    return table.error(
        key, f'{key} = "{text}" is no mail address; write "Anna Nowak <anna@example.com>"'
    )


def _smtp(name: str, table: Section, workspace: Path, secrets: Secrets) -> SmtpServer:
    tls: Tls = table["tls"]
    if tls == "none" and not (is_loopback(table["host"]) or table["allow_plain_text"]):
        raise table.error(
            "tls",
            f'tls = "none" would send mails and password readable to {table["host"]}: write '
            'tls = "starttls" or "implicit"; if it must be, add allow_plain_text = true',
        )
    return SmtpServer(
        host=table["host"],
        port=table["port"] or PORTS[tls],
        tls=tls,
        user=table["user"],
        password=secrets.password(name, table, workspace),
        allow_plain_text=table["allow_plain_text"],
        ca_file=workspace / table["ca_file"] if table["ca_file"] else None,
        timeout=float(table["timeout"]),
        data_timeout=float(table["data_timeout"]),
    )


def _mailbox(name: str, table: Section, workspace: Path, secrets: Secrets) -> Mailbox | None:
    imap = table.table("imap")
    if not table.data:
        return None
    if bool(table["maildir"]) == bool(imap.data):
        raise table.error("maildir", 'a mailbox is either maildir = "FOLDER" or an [..imap] table')
    if not imap.data:
        return Mailbox(maildir=workspace / table["maildir"])
    tls: Tls = imap["tls"]
    if tls == "none" and not is_loopback(imap["host"]):
        raise imap.error("tls", 'tls = "none" would send the password readable: write "implicit"')
    return Mailbox(
        imap=ImapServer(
            host=imap["host"],
            port=imap["port"],
            tls=tls,
            user=imap["user"],
            password=secrets.password(name, imap, workspace),
            folder=imap["folder"],
        )
    )
