"""`potok.toml` as values, and the only place that reads the environment.

The table of what may be written is `known_settings.py`; this file turns checked text into the
frozen values of the rooms. Secrets come from the environment or from a file; a missing one is no
error until it is needed (`Settings.sender`).
"""

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address as HeaderAddress
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.exc import ArgumentError

from campaigns.admit import FrequencyCap
from console.database import database_url
from console.errors import Refused, SecretMissing
from console.sections import Section, read_toml
from deliverability import (
    DkimKey,
    Identity,
    ImapServer,
    Limits,
    Mailbox,
    PaceSettings,
    SmtpServer,
    Tls,
    shipped_providers,
)

try:
    from leads import Pipeline, Stage
except ImportError:  # until the room has them

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Stage:  # type: ignore[no-redef]
        name: str
        won: bool = False
        lost: bool = False

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Pipeline:  # type: ignore[no-redef]
        name: str
        stages: tuple[Stage, ...]


FILE = "potok.toml"

#: What a server listens on when the file names no port (RFC 8314 3.3; RFC 6409 3.1).
PORTS: Mapping[Tls, int] = {"implicit": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True, kw_only=True, slots=True)
class Web:
    #: Public address of the opt-out page without a slash at its end; empty when there is none.
    base_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    #: hold | resend.
    when_in_doubt: str = "hold"
    frequency: FrequencyCap | None = None
    most_retries: int = 35


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything `potok.toml` says."""

    #: The workspace's folder.
    path: Path
    #: As written; `console.database.database_url` makes the URL.
    database: str
    time_zone: ZoneInfo
    web: Web
    pipelines: Mapping[str, Pipeline]
    #: By name. Passwords that were not found are empty here: take senders from `sender()`.
    identities: Mapping[str, Identity]
    delivery: Delivery
    #: `default` is always there.
    pace: Mapping[str, PaceSettings]
    providers: Mapping[str, tuple[str, ...]]
    consent_required: bool
    #: Identity -> what is missing and how to give it.
    secrets_missing: Mapping[str, str] = field(default_factory=dict)

    def sender(self, name: str) -> Identity:
        """The identity, ready to log in.

        Raises Refused for an unknown name, SecretMissing when its password was not found.
        """
        if name not in self.identities:
            known = ", ".join(self.identities) or "none yet"
            raise Refused(f"There is no identity {name!r} in {FILE}; there is: {known}")
        if name in self.secrets_missing:
            raise SecretMissing(self.secrets_missing[name])
        return self.identities[name]

    def pace_of(self, provider: str) -> PaceSettings:
        """`[pace.<provider>]`; else the default, no hotter than what is known of the provider."""
        if provider in self.pace:
            return self.pace[provider]
        return self.pace["default"].within(shipped_providers().get(provider))


def variable(name: str) -> str | None:
    """An environment variable; None when it is not set."""
    return os.environ.get(name)


def user_name() -> str:
    """Who is at work: POTOK_USER, else the login name."""
    try:
        return variable("POTOK_USER") or getpass.getuser()
    except (OSError, KeyError):
        return "somebody"  # a container's user need not have a name


def read_settings(workspace: Path) -> Settings:
    """`potok.toml` of a workspace.

    Raises SettingsError: one line with file, line, key and what may be written instead.
    """
    data, source = read_toml(workspace / FILE, FILE)
    root = Section(source, data)
    root.check()
    secrets_missing: dict[str, str] = {}
    return Settings(
        path=workspace,
        database=_database(root, workspace),
        time_zone=_zone(root),
        web=Web(base_url=_base_url(root.table("web"))),
        pipelines={n: _pipeline(n, t) for n, t in root.tables("pipeline")} or _ANY_PIPELINE,
        identities={
            name: _identity(name, table, workspace, secrets_missing)
            for name, table in root.tables("identity")
        },
        delivery=_delivery(root.table("delivery")),
        pace=_paces(root),
        providers={
            name: tuple(domain.lower() for domain in table["domains"])
            for name, table in root.tables("provider")
        },
        consent_required=root.table("consent")["required"],
        secrets_missing=secrets_missing,
    )


#: A workspace without `[pipeline]` still has stages to import into.
_ANY_PIPELINE = {"sales": Pipeline(name="sales", stages=(Stage(name="new"),))}


def _database(root: Section, workspace: Path) -> str:
    text: str = root["database"]
    try:
        kind = database_url(text, workspace).drivername
    except ArgumentError:
        kind = ""
    if kind not in ("sqlite", "postgresql+psycopg"):
        raise root.error(
            "database",
            f'database = "{text}": write "sqlite:///potok.db" or '
            '"postgresql+psycopg://user@host/name"',
        )
    return text


def _zone(root: Section) -> ZoneInfo:
    name: str = root["time_zone"]
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise root.error(
            "time_zone",
            f'time_zone = "{name}": there is no such zone; write Continent/City, "Europe/Warsaw"',
        ) from error


def _base_url(web: Section) -> str:
    text: str = web["base_url"].rstrip("/")
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise web.error("base_url", f'base_url = "{text}": write "https://mail.example.com"')
    return text


def _pipeline(name: str, table: Section) -> Pipeline:
    if table.given("stages") == table.given("stage"):
        raise table.error(
            "stages", f'write stages = ["new", "won"], or [[pipeline.{name}.stage]] tables'
        )
    if table.given("stages"):
        stages = tuple(
            # The two words everybody uses mean what they say.
            Stage(name=text, won=text == "won", lost=text == "lost")
            for text in table["stages"]
        )
    else:
        stages = tuple(
            Stage(name=row["name"], won=row["won"], lost=row["lost"])
            for row in table.array("stage")
        )
    names = [stage.name for stage in stages]
    key = "stages" if table.given("stages") else "stage"
    if not names or not all(text.strip() for text in names):
        raise table.error(key, "a pipeline needs at least one stage, and each a name")
    for text in names:
        if names.count(text) > 1:
            raise table.error(key, f'the stage "{text}" stands here twice')
    return Pipeline(name=name, stages=stages)


def _identity(name: str, table: Section, workspace: Path, missing: dict[str, str]) -> Identity:
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
        smtp=_smtp(name, smtp, workspace, missing)
        if smtp.data
        else SmtpServer(outbox=workspace / outbox["folder"]),
        mailbox=_mailbox(name, table.table("mailbox"), workspace, missing),
        limits=Limits(
            per_day=limits["per_day"],
            connections=limits["connections"],
            per_connection=limits["per_connection"],
        ),
        dkim=DkimKey(
            domain=dkim["domain"] or from_address.rpartition("@")[2].lower(),
            selector=dkim["selector"],
            private_key=workspace / dkim["private_key"],
        )
        if dkim.data
        else None,
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


def _no_address(table: Section, key: str, text: str) -> Exception:
    return table.error(
        key, f'{key} = "{text}" is no mail address; write "Anna Nowak <anna@example.com>"'
    )


def _smtp(name: str, table: Section, workspace: Path, missing: dict[str, str]) -> SmtpServer:
    tls: Tls = table["tls"]
    if tls == "none" and not (_is_loopback(table["host"]) or table["allow_plain_text"]):
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
        password=_password(name, table, workspace, missing),
        allow_plain_text=table["allow_plain_text"],
        ca_file=workspace / table["ca_file"] if table["ca_file"] else None,
        timeout=float(table["timeout"]),
        data_timeout=float(table["data_timeout"]),
    )


def _mailbox(name: str, table: Section, workspace: Path, missing: dict[str, str]) -> Mailbox | None:
    imap = table.table("imap")
    if not table.data:
        return None
    if bool(table["maildir"]) == bool(imap.data):
        raise table.error("maildir", 'a mailbox is either maildir = "FOLDER" or an [..imap] table')
    if not imap.data:
        return Mailbox(maildir=workspace / table["maildir"])
    tls: Tls = imap["tls"]
    if tls == "none" and not _is_loopback(imap["host"]):
        raise imap.error("tls", 'tls = "none" would send the password readable: write "implicit"')
    return Mailbox(
        imap=ImapServer(
            host=imap["host"],
            port=imap["port"],
            tls=tls,
            user=imap["user"],
            password=_password(name, imap, workspace, missing),
            folder=imap["folder"],
        )
    )


def _password(name: str, table: Section, workspace: Path, missing: dict[str, str]) -> str:
    """The secret, or empty with a sentence in `missing` that says how to give it."""
    env, file = table["password_env"], table["password_file"]
    if env and file:
        raise table.error("password_file", "give password_env or password_file, not both")
    if not table["user"]:
        if env or file:
            raise table.error("password_env", 'a password needs a login name: write user = "..."')
        return ""
    if env:
        value = variable(env)
        if value:
            return value
        missing[name] = (
            f"The password of identity {name!r} is not there: set the environment variable {env} "
            f"(in this shell: read -rs {env}; export {env})"
        )
    elif file:
        place = workspace / file
        try:
            lines = place.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        if lines and lines[0]:
            return lines[0]
        missing[name] = (
            f"The password of identity {name!r} is not there: write it as the first line of "
            f"{place} (chmod 600)"
        )
    else:
        raise table.error(
            "user",
            f'user = "{table["user"]}" needs a password: write password_env = "NAME" (a variable '
            'that holds it) or password_file = "FILE"',
        )
    return ""


def _delivery(table: Section) -> Delivery:
    frequency = table.table("frequency")
    return Delivery(
        when_in_doubt=table["when_in_doubt"],
        frequency=FrequencyCap(messages=frequency["messages"], days=frequency["days"])
        if frequency.data
        else None,
        most_retries=table["most_retries"],
    )


def _paces(root: Section) -> dict[str, PaceSettings]:
    tables = dict(root.tables("pace"))
    known = {"default", "other", *shipped_providers(), *dict(root.tables("provider"))}
    for name, table in tables.items():
        if name not in known:
            raise table.error(
                "",
                f"there is no provider {name!r}; known are {', '.join(sorted(known))}. "
                f"[provider.{name}] with domains = [...] adds it",
            )
    default = tables["default"].data if "default" in tables else {}
    paces = {name: PaceSettings(**{**default, **table.data}) for name, table in tables.items()}
    return {"default": PaceSettings(), **paces}


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
