"""Every setting `potok.toml` may hold, with its kind and one line for people.

Reading, error texts and `docs/settings.md` all come from this table. In a path `*` is a name the
marketer chooses and `[]` is one of several `[[...]]` tables.
"""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "texts", "whole number", "number", "yes or no"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of `potok.toml`."""

    #: `identity.*.smtp.port`.
    path: str
    kind: Kind
    #: One line: what it is for.
    about: str
    #: The value when the file says nothing; None means there is none.
    default: Any = None
    #: Allowed texts.
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    required: bool = False

    def allowed(self) -> str:
        """What may be written, for an error: `a whole number from 1 to 65535`."""
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        if self.kind == "yes or no":
            return "true or false"
        if self.kind == "texts":
            return 'a list of texts in quotes, ["one", "two"]'
        if self.kind == "text":
            return 'a text in quotes, "..."'
        if self.least is not None and self.most is not None:
            return f"a {self.kind} from {self.least:g} to {self.most:,.0f}"
        if self.least is not None:
            return f"a {self.kind} of at least {self.least:g}"
        return f"a {self.kind}"


def _tls(path: str, default: str) -> Setting:
    return Setting(
        path,
        "text",
        "How the connection is protected: `starttls`, `implicit` (from the first byte), `none`.",
        default,
        choices=("none", "starttls", "implicit"),
    )


def _password(path: str) -> tuple[Setting, ...]:
    return (
        Setting(path + "user", "text", "Login name; empty for no login.", ""),
        Setting(path + "password_env", "text", "The environment variable that holds the password."),
        Setting(
            path + "password_file",
            "text",
            "A file whose first line is the password; relative to the workspace.",
        ),
    )


_PACE = (
    Setting(
        "pace.*.per_minute",
        "number",
        "Messages per minute in each lane (one identity, one receiving provider); 60 unless said. "
        "NAME is `default` or a provider: `google`, `wp`, one of your own.",
        least=0.01,
        most=1_000_000,
    ),
    Setting(
        "pace.*.connections",
        "whole number",
        "Connections a lane may open; 2 unless said.",
        least=1,
        most=500,
    ),
    Setting(
        "pace.*.per_connection",
        "whole number",
        "Messages on one connection before it is closed; 100 unless said.",
        least=1,
        most=100_000,
    ),
    Setting(
        "pace.*.jitter",
        "number",
        "Random extra room between two messages, as a share of the gap; 0.2 unless said.",
        least=0,
        most=1,
    ),
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "database",
        "text",
        "Where everything is kept: a SQLite file in the workspace, or "
        "`postgresql+psycopg://user@host/name`.",
        "sqlite:///potok.db",
    ),
    Setting(
        "time_zone",
        "text",
        "IANA zone of the workspace: days, windows and leads without a zone of their own.",
        "UTC",
    ),
    Setting(
        "web.base_url",
        "text",
        "Public address of the opt-out page, `https://mail.example.com`; empty: opt-out by mail.",
        "",
    ),
    Setting(
        "web.listen",
        "text",
        "Where the opt-out page listens while `potok run` is at work, when there is a `base_url`; "
        "a web server with a certificate stands in front of it. Empty: no page.",
        "127.0.0.1:8025",
    ),
    Setting("pipeline.*.stages", "texts", "The stages a lead passes, in order."),
    Setting(
        "pipeline.*.stage[].name",
        "text",
        "One stage, when it needs more than a name (instead of `stages`).",
        required=True,
    ),
    Setting("pipeline.*.stage[].won", "yes or no", "Reaching this stage is a sale.", False),
    Setting("pipeline.*.stage[].lost", "yes or no", "Reaching this stage is a loss.", False),
    Setting(
        "identity.*.from",
        "text",
        'Who mails come from: `"Anna Nowak <anna@example.com>"`.',
        required=True,
    ),
    Setting("identity.*.reply_to", "text", "Where answers go when not to `from`.", ""),
    Setting(
        "identity.*.postal_address",
        "text",
        "Street address under every mail; many countries' law wants one.",
        "",
    ),
    Setting(
        "identity.*.bounce_address",
        "text",
        "Envelope sender, where bounces go, when not to `from`.",
        "",
    ),
    Setting("identity.*.smtp.host", "text", "Name of the mail server.", required=True),
    Setting(
        "identity.*.smtp.port",
        "whole number",
        "Its port; 587 for starttls, 465 for implicit, 25 for none unless said.",
        least=1,
        most=65535,
    ),
    _tls("identity.*.smtp.tls", "starttls"),
    *_password("identity.*.smtp."),
    Setting(
        "identity.*.smtp.allow_plain_text",
        "yes or no",
        'Needed besides `tls = "none"` for a server that is not this machine: mails and password '
        "then travel readable.",
        False,
    ),
    Setting("identity.*.smtp.ca_file", "text", "PEM file of a company's own certificates."),
    Setting(
        "identity.*.smtp.timeout",
        "number",
        "Seconds for connecting and for each command.",
        60.0,
        least=1,
        most=3600,
    ),
    Setting(
        "identity.*.smtp.data_timeout",
        "number",
        "Seconds to wait for the answer after a message's last byte.",
        600.0,
        least=1,
        most=3600,
    ),
    Setting(
        "identity.*.outbox.folder",
        "text",
        "Instead of `smtp`, for trying out: mails become .eml files in this folder.",
        required=True,
    ),
    Setting("identity.*.mailbox.maildir", "text", "Folder (Maildir) where answers arrive."),
    Setting("identity.*.mailbox.imap.host", "text", "Name of the IMAP server.", required=True),
    Setting("identity.*.mailbox.imap.port", "whole number", "Its port.", 993, least=1, most=65535),
    _tls("identity.*.mailbox.imap.tls", "implicit"),
    *_password("identity.*.mailbox.imap."),
    Setting("identity.*.mailbox.imap.folder", "text", "The folder answers arrive in.", "INBOX"),
    Setting(
        "identity.*.limits.per_day",
        "whole number",
        "Mails per day over all lanes; without it there is no cap.",
        least=1,
        most=10_000_000,
    ),
    Setting(
        "identity.*.limits.connections",
        "whole number",
        "Connections to the mail server at the same time.",
        10,
        least=1,
        most=500,
    ),
    Setting(
        "identity.*.limits.per_connection",
        "whole number",
        "Messages on one connection before it is closed and opened anew.",
        100,
        least=1,
        most=100_000,
    ),
    Setting("identity.*.dkim.domain", "text", "Domain that signs (the one of `from`)."),
    Setting("identity.*.dkim.selector", "text", "Name of the key in DNS.", required=True),
    Setting("identity.*.dkim.private_key", "text", "PEM file of the key.", required=True),
    Setting(
        "delivery.when_in_doubt",
        "text",
        "A message whose fate is unknown (the line broke before the answer): `hold` asks you, "
        "`resend` sends again and may double it.",
        "hold",
        choices=("hold", "resend"),
    ),
    Setting(
        "delivery.most_retries",
        "whole number",
        "How often a message that a server asked us to bring later is tried again.",
        35,
        least=0,
        most=35,
    ),
    Setting(
        "delivery.frequency.messages",
        "whole number",
        "At most so many mails to one lead ...",
        least=1,
        most=1000,
        required=True,
    ),
    Setting(
        "delivery.frequency.days",
        "whole number",
        "... within so many days, over all campaigns.",
        least=1,
        most=365,
        required=True,
    ),
    *_PACE,
    Setting(
        "provider.*.domains",
        "texts",
        "Domains that share one lane and one `[pace.NAME]`, besides the known big providers.",
        required=True,
    ),
    Setting("topic.*.en", "text", "A topic's name on the preference page, in English."),
    Setting("topic.*.pl", "text", "The same in Polish. Without both, the topic's own word."),
    Setting(
        "consent.required",
        "yes or no",
        "Write only to leads whose consent is recorded.",
        False,
    ),
    Setting(
        "templates.link_domains",
        "texts",
        "Domains that links in templates may lead to, with all below them: another one is an error "
        "in `templates check`. Without it: anywhere.",
    ),
    Setting(
        "templates.spamd",
        "text",
        "SpamAssassin's daemon, `host:port`, asked for a score by `templates check`, `campaigns "
        "plan` and every start; unless said, the one on this machine, if there is one. Empty: "
        "never.",
        "127.0.0.1:783",
    ),
    Setting(
        "templates.spamd_timeout",
        "number",
        "Seconds to wait for its score of one mail.",
        20.0,
        least=0.1,
        most=600,
    ),
)

BY_PATH: dict[str, Setting] = {setting.path: setting for setting in SETTINGS}
