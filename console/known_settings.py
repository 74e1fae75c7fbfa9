"""Every setting `potok.toml` may hold, with its kind and one line for people.

Reading, error texts and `docs/settings.md` all come from this table; `[identity.*]` is in
`known_identity_settings.py`. In a path `*` is a name the marketer chooses and `[]` is one of
several `[[...]]` tables.
"""

from console.known_identity_settings import IDENTITY
from console.known_pace_settings import PACE
from console.setting import Setting

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
    *IDENTITY,
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
        "delivery.domain_per_hour",
        "whole number",
        "At most so many mails an hour to one company's domain, over all identities; 0 for any "
        "number. Big mail providers have a pace of their own and are not meant.",
        5,
        least=0,
        most=1_000_000,
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
    *PACE,
    Setting(
        "dns.nameservers",
        "texts",
        'DNS servers to ask, `["127.0.0.1:5353"]`; without it those this computer uses.',
    ),
    Setting("dns.timeout", "number", "Seconds to wait for an answer.", 5.0, least=0.1, most=60),
    Setting(
        "dns.mx_lookups",
        "yes or no",
        "Whether `potok run` asks DNS who takes the mail of domains it does not know by name; "
        "unless said, when an identity sends to another machine.",
    ),
    Setting(
        "dns.mx_per_second",
        "number",
        "At most so many domains a second.",
        5.0,
        least=0.01,
        most=100,
    ),
    Setting(
        "preflight.recipients",
        "whole number",
        "A campaign for at least so many leads that leaves this machine starts only when `potok "
        "deliverability check` finds no error; 0: never asked.",
        500,
        least=0,
        most=100_000_000,
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
        "consent.require",
        "text",
        "The same in one word: `none`, `single` (recorded), or `double` (and confirmed by the link "
        "in a mail). The stricter of both holds; a campaign may ask for more.",
        choices=("none", "single", "double"),
    ),
    Setting(
        "signup.open",
        "yes or no",
        "Whether the page `/join` takes addresses and asks them to confirm.",
        False,
    ),
    Setting(
        "signup.identity",
        "text",
        "Who asks to confirm; the first identity unless said.",
        "",
    ),
    Setting(
        "signup.per_hour",
        "whole number",
        "Addresses one client may type in within an hour.",
        20,
        least=1,
        most=100_000,
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
