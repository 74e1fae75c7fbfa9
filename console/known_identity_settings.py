"""The settings of `[identity.NAME]`: who writes, through which server, where answers arrive."""

from console.known_limits import LIMITS
from console.setting import Setting


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


IDENTITY: tuple[Setting, ...] = (
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
    Setting(
        "identity.*.egress_ips",
        "texts",
        "Addresses (IP) the mail reaches receivers from, when you know them: `potok deliverability "
        "check` then looks at their SPF and their names.",
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
    *LIMITS,
    Setting("identity.*.dkim.domain", "text", "Domain that signs (the one of `from`)."),
    Setting("identity.*.dkim.selector", "text", "Name of the key in DNS.", required=True),
    Setting("identity.*.dkim.private_key", "text", "PEM file of the key.", required=True),
    Setting(
        "identity.*.dkim.ed25519_selector",
        "text",
        "Name in DNS of a second key, which signs as well (RFC 8463).",
    ),
    Setting("identity.*.dkim.ed25519_key", "text", "PEM file of the second key, an Ed25519 one."),
)
