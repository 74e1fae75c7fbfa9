"""Starting a campaign: the applied versions it will keep, its terms, and the run's row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from campaigns.definition import CampaignDefinition, of_body
from campaigns.errors import NotPossible, UnknownCampaign
from campaigns.plan import Finding
from campaigns.runs import ONCE, Terms, latest_run, open_run
from campaigns.states import RunState
from campaigns.tables import Campaign, Run
from deliverability import Identity, is_loopback
from leads import Permission, Version, current_version
from segments import SegmentVersion, rule_of, where
from templates import Compiled, TemplateVersion, check


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A campaign with everything applied that it names."""

    definition: CampaignDefinition
    campaign: Campaign
    segment: SegmentVersion
    template: TemplateVersion
    compiled: Compiled
    identity: Identity
    terms: Terms

    @property
    def hashes(self) -> tuple[str, str, str]:
        """What the plan was made of."""
        return (self.campaign.hash, self.segment.hash, self.template.hash)

    def rule(self, zone: ZoneInfo) -> Callable[[datetime], ColumnElement[bool]]:
        """The segment as SQL, at a moment."""
        tree = rule_of(self.segment.body or {})
        return lambda now: where(tree, now=now, zone=zone)


def prepare(
    session: Session,
    name: str,
    *,
    identities: Mapping[str, Identity],
    consent_required: bool,
    first: int | None = None,
    again: bool = False,
) -> Prepared:
    """The applied campaign `name` with its segment, template and identity.

    Raises UnknownCampaign and NotPossible with what to type.
    """
    campaign = current_version(session, Campaign, name)
    if campaign is None:
        raise UnknownCampaign(
            f"There is no campaign {name!r}; see potok campaigns list, or write "
            f"campaigns/{name}.toml and potok apply"
        )
    definition = of_body(name, campaign.body or {})
    segment = current_version(session, SegmentVersion, definition.segment)
    template = current_version(session, TemplateVersion, definition.template)
    identity = identities.get(definition.identity)
    for kind, wanted, found in (
        ("segment", definition.segment, segment),
        ("template", definition.template, template),
        ("identity", definition.identity, identity),
    ):
        if found is None:
            place = "potok.toml" if kind == "identity" else f"{kind}s/"
            raise NotPossible(
                f"Campaign {name!r} names the {kind} {wanted!r}, which does not exist: add it to "
                f"{place} and run potok apply, or change campaigns/{name}.toml"
            )
    assert segment and template and identity  # noqa: S101 - the loop above raised otherwise
    compiled = Compiled.from_body(template.name, template.body or {})
    return Prepared(
        definition=definition,
        campaign=campaign,
        segment=segment,
        template=template,
        compiled=compiled,
        identity=identity,
        terms=Terms(
            permission=Permission(topic=compiled.topic, consent_required=consent_required),
            window=definition.window,
            expires_after=definition.expires_after,
            domain=identity.domain,
            first=first,
            again=again,
        ),
    )


def begin(
    session: Session,
    prepared: Prepared,
    *,
    now: datetime,
    by: str,
    token: str,
    when_in_doubt: str,
) -> Run:
    """Opens the run, or gives back one whose planning was cut off, so that it can go on.

    Raises AlreadyRan, and NotPossible when `--again` meets a run that is not over.
    """
    name = prepared.definition.name
    earlier = latest_run(session, name)
    if earlier is not None and earlier.planned_at is None and earlier.state == RunState.PLANNING:
        return earlier
    over = (RunState.FINISHED, RunState.CANCELLED)
    if prepared.terms.again and earlier is not None and earlier.state not in over:
        raise NotPossible(
            f"Campaign {name!r} is {earlier.state}: it can start again when it is finished or "
            "cancelled"
        )
    again = prepared.terms.again and earlier is not None
    assert prepared.campaign.id and prepared.segment.id and prepared.template.id  # noqa: S101
    return open_run(
        session,
        campaign=name,
        campaign_id=prepared.campaign.id,
        segment_version_id=prepared.segment.id,
        template_version_id=prepared.template.id,
        identity=prepared.definition.identity,
        when_in_doubt=prepared.definition.when_in_doubt or when_in_doubt,
        terms=replace(prepared.terms, again=again),
        occurrence=now.astimezone(UTC).isoformat() if again else ONCE,
        token=token,
        now=now,
        by=by,
    )


def findings_of(prepared: Prepared, *, base_url: str) -> tuple[Finding, ...]:
    """What is wrong before anything is sent: the template's findings and the way to opt out."""
    found = [
        Finding(id=f.id, level=f.level, where=f.where, what=f.what, do=f.do)
        for f in check(prepared.compiled)
    ]
    if (
        base_url
        and is_loopback(urlsplit(base_url).hostname or "")
        and not is_loopback(prepared.identity.smtp.host)
    ):
        found.append(
            Finding(
                id="opt-out-unreachable",
                level="error",
                where="potok.toml [web] base_url",
                what=f"the opt-out link leads to {base_url}, which only this machine can open",
                do="set base_url to the public https address of this server, or remove it: people "
                "then opt out by mail, which the mailbox reader obeys",
            )
        )
    if not base_url and prepared.identity.mailbox is None:
        found.append(
            Finding(
                id="opt-out-unread",
                level="warning",
                where=f"potok.toml [identity.{prepared.identity.name}]",
                what="people can opt out by mail only, and no mailbox is read",
                do="set [web] base_url, or give the identity a mailbox",
            )
        )
    return tuple(found)


def applied_campaigns(session: Session) -> list[tuple[str, str]]:
    """(name, state of the newest run or empty) of every applied campaign."""
    rows: list[tuple[str, str]] = []
    names = session.scalars(select(col(Campaign.name)).distinct().order_by(col(Campaign.name)))
    for name in names.all():
        version: Version | None = current_version(session, Campaign, name)
        if version is not None:
            run = latest_run(session, name)
            rows.append((name, run.state if run else ""))
    return rows
