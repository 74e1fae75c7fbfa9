"""The texts of a new workspace's files, with the comments that explain them."""

import json
from email.utils import parseaddr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.new_workspace import Answers

_SETTINGS = """\
# Potok's settings. docs/settings.md explains every one; potok doctor checks them.
# Mistakes are answered with the line and what may be written there.

database = "sqlite:///potok.db"    # or "postgresql+psycopg://user@host/name"
time_zone = {time_zone}

# The address of the pages where people opt out or choose what they get, when this machine has one
# that they can reach. Without it every mail says how to opt out by answering, which the mailbox
# below is read for.
# [web]
# base_url = "https://mail.example.com"

# The stages a lead passes, in order. "won" and "lost" end the way.
[pipeline.sales]
stages = {stages}

# Who writes. More identities: [identity.other] with its own tables.
[identity.{identity}]
from = {sender}
postal_address = {postal_address}    # stands under every mail
# reply_to = "office@example.com"    # when answers should go elsewhere

{transport}
# Where answers, bounces and opt-outs arrive.
# [identity.{identity}.mailbox]
# maildir = "inbox"
# or by IMAP:
# [identity.{identity}.mailbox.imap]
# host = {imap}
# user = {user}
# password_env = "{variable}"

[identity.{identity}.limits]
per_day = {per_day}        # {allowance}
connections = 2

[delivery]
# The line broke before the server answered: hold asks you, resend may send twice.
when_in_doubt = "hold"
# At most so many mails to one person within so many days, over all campaigns.
frequency = {{ messages = 3, days = 7 }}

# Messages per minute each receiving provider begins with; its answers teach better, up to five
# times as much (or at_most_per_minute). [pace.google] and so on for a single one.
[pace.default]
per_minute = 30

# Write only to leads whose consent is recorded; require = "double": and confirmed by a link.
[consent]
required = false
"""

_OUTBOX = """\
# For trying out: nothing leaves, mails become .eml files in this folder. Replace it by
# [identity.{identity}.smtp] with host, user and password_env to send for real.
[identity.{identity}.outbox]
folder = "outbox"
"""

_SMTP = """\
[identity.{identity}.smtp]
host = {host}
port = {port}
tls = {tls}
"""

_LOGIN = """\
user = {user}
# The name of the variable that holds the password; the password itself never stands here.
password_env = {variable}
"""

_CAMPAIGN = """\
# A campaign: who gets which template from whom. potok campaigns plan welcome shows what it would
# do, potok campaigns start welcome does it.
description = "A first mail to every new lead"
segment = "new-leads"
template = "welcome"
identity = {identity}
expires_after = "5 days"    # what could not be sent by then is not sent late

# Only at these hours of the recipient's own clock:
# [window]
# days = "mon-fri"
# from = "09:00"
# to = "17:00"

# To start by itself while potok run runs; or at = "2026-12-01 09:00" for once:
# [when]
# cron = "0 9 * * mon"
"""

_GITIGNORE = """\
# Secrets and people's data stay out of version control.
potok.keys
potok.db*
outbox/
inbox/
*.rejected.csv
*.csv
.env
"""


#: Mails a day that no mail company takes amiss from an account it does not know yet.
CAREFUL = 200


def _quoted(text: str) -> str:
    # A TOML basic string has the escapes of a JSON string (TOML 1.0, "String").
    return json.dumps(text, ensure_ascii=False)


def settings_file(answers: "Answers") -> str:
    """`potok.toml` with what was answered."""
    server = answers.server
    most = server.per_day if server else None
    return _SETTINGS.format(
        time_zone=_quoted(answers.time_zone),
        stages="[" + ", ".join(_quoted(stage) for stage in answers.stages) + "]",
        identity=answers.identity,
        sender=_quoted(answers.sender),
        postal_address=_quoted(answers.postal_address),
        variable=answers.password_variable,
        transport=_transport(answers),
        imap=_quoted((server and server.imap) or "imap.example.com"),
        user=_quoted((server and server.user) or parseaddr(answers.sender)[1]),
        per_day=min(most or CAREFUL, CAREFUL),
        allowance=f"a new sender starts small; the mail company allows {most:,}"
        if most
        else "a new sender starts small; your mail company says how much it allows",
    )


def _transport(answers: "Answers") -> str:
    server = answers.server
    if server is None:
        return _OUTBOX.format(identity=answers.identity)
    text = f"# {server.note}\n" if server.note else ""
    text += _SMTP.format(
        identity=answers.identity,
        host=_quoted(server.host),
        port=server.port,
        tls=_quoted(server.tls),
    )
    if server.user:
        text += _LOGIN.format(
            user=_quoted(server.user), variable=_quoted(answers.password_variable)
        )
    return text


def segment_files(stages: tuple[str, ...]) -> dict[str, str]:
    """Sample segments that hold with these stages, by name."""
    over = [stage for stage in ("won", "lost") if stage in stages]
    open_deal = f" and not stage in ({', '.join(over)})" if over else ""
    first = _quoted(stages[0])
    return {
        "everyone": _segment("All leads", "everyone"),
        "new-leads": _segment("Those nobody wrote to yet", f"stage = {first}"),
        "polish-speakers": _segment("Those who read Polish", 'language = "pl" or country = "PL"'),
        "asked-for-prices": _segment(
            "Interested in prices and not decided yet", f'prefers.topic = "pricing"{open_deal}'
        ),
    }


def _segment(description: str, rule: str) -> str:
    # Single quotes keep the rule as one reads it, unless it holds one itself.
    text = _quoted(rule) if "'" in rule else f"'{rule}'"
    return f"description = {_quoted(description)}\nrule = {text}\n"


def campaign_file(identity: str) -> str:
    """The sample campaign."""
    return _CAMPAIGN.format(identity=_quoted(identity))


def gitignore() -> str:
    return _GITIGNORE
