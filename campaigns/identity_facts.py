"""What of an identity stands in mail, kept per version because `potok.toml` is not; and back."""

from collections.abc import Mapping
from typing import Any

from deliverability import DkimKey, Identity, SmtpServer


def identity_facts(identity: Identity) -> dict[str, Any]:
    """What `identity_version` keeps."""
    facts: dict[str, Any] = {
        "from_name": identity.from_name,
        "from_address": identity.from_address,
        "postal_address": identity.postal_address,
        "reply_to": identity.reply_to,
        "bounce_address": identity.bounce_address,
        "dkim": _named(identity.dkim),
    }
    if identity.second_dkim is not None:
        # Only then: who has one key keeps the version there is.
        facts["second_dkim"] = _named(identity.second_dkim)
    return facts


def identity_then(name: str, facts: Mapping[str, Any], present: Identity | None) -> Identity:
    """The identity as it was, with those of its keys that `present` still has."""
    return Identity(
        name=name,
        from_name=facts["from_name"],
        from_address=facts["from_address"],
        postal_address=facts["postal_address"],
        reply_to=facts["reply_to"],
        bounce_address=facts["bounce_address"],
        smtp=SmtpServer(host="", port=0),
        dkim=_kept(facts["dkim"], present.dkim if present else None),
        second_dkim=_kept(facts.get("second_dkim"), present.second_dkim if present else None),
    )


def _named(key: DkimKey | None) -> list[str] | None:
    return [key.domain, key.selector] if key else None


def _kept(then: list[str] | None, now: DkimKey | None) -> DkimKey | None:
    return now if now is not None and then == _named(now) else None
