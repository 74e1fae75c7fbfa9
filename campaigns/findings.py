"""What is wrong with a campaign before anything of it is sent."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from campaigns.finding import Finding
from campaigns.start import Prepared
from campaigns.writing import tracking_over
from deliverability import Identity, is_loopback
from templates import check, web_findings


def findings_of(
    prepared: Prepared, *, base_url: str, link_domains: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What is wrong before anything is sent: the template's findings and the way to opt out.

    `link_domains` are those its links may lead to; none allow every domain.
    """
    found = [
        Finding(
            id=f.id,
            level=f.level,
            where=f"templates/{compiled.name}/{f.where}",
            what=f.what,
            do=f.do,
        )
        for compiled in prepared.templates
        for f in (
            *check(compiled, link_domains=link_domains, tracking=tracking_over(base_url)),
            *(web_findings(compiled) if not base_url else ()),
        )
    ]
    found += _unseen_clicks(prepared)
    for identity in prepared.identities:
        found += _opting_out(identity, base_url)
    if base_url and any(_only_here(each, base_url) for each in prepared.identities):
        found += _tracking_only_here(prepared, base_url)
    return tuple(dict.fromkeys(found))


def _only_here(identity: Identity, base_url: str) -> bool:
    """Whether mail leaves this machine with links that only this machine can open."""
    smtp = identity.smtp
    leaves = smtp.outbox is None and not is_loopback(smtp.host)
    return leaves and is_loopback(urlsplit(base_url).hostname or "")


def _tracking_only_here(prepared: Prepared, base_url: str) -> Iterator[Finding]:
    for compiled in prepared.templates:
        if compiled.track_links or compiled.track_opens:
            yield Finding(
                id="tracking-unreachable",
                level="error",
                where=f"templates/{compiled.name}/message.toml",
                what=f"every tracked link and picture would lead over {base_url}, which only this "
                "machine can open",
                do="set [web] base_url to the public https address of this server, or take "
                "track_links and track_opens out",
            )


def _unseen_clicks(prepared: Prepared) -> Iterator[Finding]:
    """Variants compared by clicks that nobody would see."""
    definition = prepared.definition
    if not definition.variants or definition.goal.what != "clicked":
        return
    for compiled in prepared.templates:
        if not compiled.track_links:
            yield Finding(
                id="goal-unseen",
                level="error",
                where=f"campaigns/{definition.name}.toml [goal]",
                what=f"clicks decide between the variants, and {compiled.name} tracks no links",
                do=f"write track_links = true in templates/{compiled.name}/message.toml, or take "
                'what = "replied"',
            )


def _opting_out(identity: Identity, base_url: str) -> Iterator[Finding]:
    """What is wrong with the ways to opt out of an identity's mail."""
    if base_url and _only_here(identity, base_url):
        yield Finding(
            id="opt-out-unreachable",
            level="error",
            where="potok.toml [web] base_url",
            what=f"the opt-out link leads to {base_url}, which only this machine can open",
            do="set base_url to the public https address of this server, or remove it: people "
            "then opt out by mail, which the mailbox reader obeys",
        )
    if not base_url and identity.mailbox is None:
        yield Finding(
            id="opt-out-unread",
            level="warning",
            where=f"potok.toml [identity.{identity.name}]",
            what="people can opt out by mail only, and no mailbox is read",
            do="set [web] base_url, or give the identity a mailbox",
        )
