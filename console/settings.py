"""`potok.toml` as values, and the only place that reads the environment.

The table of what may be written is `known_settings.py`; this file turns checked text into the
frozen values of the rooms. Secrets come from the environment or from a file; a missing one is no
error until it is needed (`Settings.sender`).
"""

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.exc import ArgumentError

from console.database import database_url
from console.dns_settings import Dns, read_dns
from console.errors import Refused, SecretMissing
from console.identities import Secrets, read_identity
from console.pacing import read_answers, read_paces, read_providers
from console.sections import Section, read_toml
from console.signup_settings import Signup, consent_basis, read_signup
from console.zones import zone_named
from deliverability import AnswerRow, Identity, PaceSettings, Provider
from leads import FrequencyCap, Pipeline, Stage

FILE = "potok.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Web:
    #: Public address of the opt-out page without a slash at its end; empty when there is none.
    base_url: str = ""
    #: `host:port` where the page listens; empty when it is not served.
    listen: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    #: hold | resend.
    when_in_doubt: str = "hold"
    frequency: FrequencyCap | None = None
    most_retries: int = 35
    #: Messages an hour to one company domain; None: any number.
    domain_per_hour: int | None = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateChecks:
    #: Domains links may lead to; none allow every domain.
    link_domains: tuple[str, ...] = ()
    #: Host and port of SpamAssassin's daemon; None: it is never asked.
    spamd: tuple[str, int] | None = None
    #: Whether the file names it: then it is a fault when nobody answers.
    spamd_named: bool = False
    spamd_timeout: float = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything `potok.toml` says."""

    #: The workspace's folder.
    path: Path
    #: As written; `console.database.database_url` makes the URL. May hold a password.
    database: str = field(repr=False)
    time_zone: ZoneInfo
    web: Web
    pipelines: Mapping[str, Pipeline]
    #: By name. A password that was not found is empty here: whoever logs in asks `sender` or
    #: `reader` instead.
    identities: Mapping[str, Identity]
    delivery: Delivery
    #: `default` is always there.
    pace: Mapping[str, PaceSettings]
    #: Domains of the workspace's own by provider; and every provider there is, theirs in front.
    providers: Mapping[str, tuple[str, ...]]
    provider_table: Mapping[str, Provider]
    consent_required: bool
    #: Whether a consent must have been confirmed by link.
    consent_double: bool = False
    signup: Signup = field(default_factory=Signup)
    #: The workspace's own rows of what servers' answers mean.
    answers: tuple[AnswerRow, ...] = ()
    templates: TemplateChecks = TemplateChecks()
    dns: Dns = field(default_factory=Dns)
    #: Recipients from which a campaign that leaves this machine must pass the preflight; 0: never.
    preflight_from: int = 500
    #: Topic -> language -> what the preference page calls it.
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: `anna.smtp`, `anna.imap` -> what is missing and how to give it.
    secrets_missing: Mapping[str, str] = field(default_factory=dict)

    def sender(self, name: str) -> Identity:
        """The identity, ready to log in to its SMTP server.

        Raises Refused for an unknown name, SecretMissing when its password was not found.
        """
        return self._ready(name, "smtp")

    def reader(self, name: str) -> Identity:
        """The identity, ready to log in to its mailbox. Raises as `sender` does."""
        return self._ready(name, "imap")

    def _ready(self, name: str, what: str) -> Identity:
        if name not in self.identities:
            known = ", ".join(self.identities) or "none yet"
            raise Refused(f"There is no identity {name!r} in {FILE}; there is: {known}")
        if f"{name}.{what}" in self.secrets_missing:
            raise SecretMissing(self.secrets_missing[f"{name}.{what}"])
        return self.identities[name]

    def pace_of(self, provider: str) -> PaceSettings:
        """`[pace.<provider>]`; else the default, no hotter than what is known of the provider."""
        if provider in self.pace:
            return self.pace[provider]
        return self.pace["default"].within(self.provider_table.get(provider))


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
    secrets = Secrets(variable=variable)
    providers = read_providers(root)
    return Settings(
        path=workspace,
        database=_database(root, workspace),
        time_zone=_zone(root),
        web=_web(root.table("web")),
        pipelines={n: _pipeline(n, t) for n, t in root.tables("pipeline")} or _ANY_PIPELINE,
        identities={
            name: read_identity(name, table, workspace, secrets)
            for name, table in root.tables("identity")
        },
        delivery=_delivery(root.table("delivery")),
        pace=read_paces(root, providers),
        provider_table=providers,
        answers=read_answers(root, providers),
        providers={
            name: tuple(domain.lower() for domain in table["domains"] or ())
            for name, table in root.tables("provider")
        },
        consent_required=consent_basis(root.table("consent")) != "none",
        consent_double=consent_basis(root.table("consent")) == "double",
        signup=read_signup(root),
        templates=_templates(root.table("templates")),
        dns=read_dns(root.table("dns")),
        preflight_from=root.table("preflight")["recipients"],
        topics={
            name: {each: text for each, text in table.data.items() if text.strip()}
            for name, table in root.tables("topic")
        },
        secrets_missing=secrets.missing,
    )


#: A workspace without `[pipeline]` still has stages to import into.
_ANY_PIPELINE = {"sales": Pipeline(name="sales", stages=(Stage(name="new"),))}


def _database(root: Section, workspace: Path) -> str:
    text: str = root["database"]
    try:
        kind = database_url(text, workspace).drivername
    except (ArgumentError, ValueError):
        kind = ""
    if kind not in ("sqlite", "postgresql+psycopg"):
        # What stands behind :// may be a password and is not repeated.
        raise root.error(
            "database",
            f'database = "{text.partition("://")[0][:40]}...": write "sqlite:///potok.db" or '
            '"postgresql+psycopg://user@host/name"',
        )
    return text


def _zone(root: Section) -> ZoneInfo:
    try:
        return zone_named(root["time_zone"])
    except ValueError as error:
        raise root.error("time_zone", str(error)) from error


def _web(table: Section) -> Web:
    base_url = _base_url(table)
    listen: str = table["listen"].strip()
    host, colon, port = listen.rpartition(":")
    if listen and not (colon and host and port.isdecimal() and int(port) < 65536):
        raise table.error("listen", f'listen = "{listen}": write "127.0.0.1:8025"')
    # Without a public address no mail holds a link, so there is nobody to serve.
    return Web(base_url=base_url, listen=listen if base_url else "")


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
    folded = [text.casefold() for text in names]
    for text in names:
        if folded.count(text.casefold()) > 1:
            raise table.error(key, f'the stage "{text}" stands here twice')
    return Pipeline(name=name, stages=stages)


def _delivery(table: Section) -> Delivery:
    frequency = table.table("frequency")
    return Delivery(
        when_in_doubt=table["when_in_doubt"],
        frequency=FrequencyCap(messages=frequency["messages"], days=frequency["days"])
        if frequency.data
        else None,
        most_retries=table["most_retries"],
        domain_per_hour=table["domain_per_hour"] or None,
    )


def _templates(table: Section) -> TemplateChecks:
    text: str = table["spamd"].strip()
    host, colon, port = text.rpartition(":")
    if text and not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise table.error("spamd", f'spamd = "{text}": write "127.0.0.1:783"')
    domains = tuple(each.strip().lower() for each in table["link_domains"] or ())
    for domain in domains:
        if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", domain):
            raise table.error(
                "link_domains", f'"{domain}" in link_domains is no domain: write "acme.pl"'
            )
    return TemplateChecks(
        link_domains=domains,
        spamd=(host.strip("[]"), int(port)) if text else None,
        spamd_named=table.given("spamd"),
        spamd_timeout=table["spamd_timeout"],
    )
