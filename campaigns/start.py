"""Starting a campaign: the applied versions it will keep, its terms, and the run's row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from campaigns.definition import CampaignDefinition, of_body, permission_for
from campaigns.errors import NotPossible, UnknownCampaign
from campaigns.runs import ONCE, Terms, already_ran, latest_run, move_run, open_run, unanswered
from campaigns.states import RunState
from campaigns.tables import Campaign, Run
from campaigns.variants import Drawn
from deliverability import Identity
from leads import Version, current_version
from segments import SegmentVersion, rule_of, where
from templates import Compiled, TemplateVersion

_OVER = (RunState.FINISHED, RunState.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A campaign with everything applied that it names."""

    definition: CampaignDefinition
    campaign: Campaign
    segment: SegmentVersion
    template: TemplateVersion
    compiled: Compiled
    #: Those of the other variants.
    others: tuple[tuple[TemplateVersion, Compiled], ...]
    #: Everybody who writes, the campaign's own first; others where variants differ in it.
    identities: tuple[Identity, ...]
    terms: Terms

    @property
    def identity(self) -> Identity:
        """The campaign's own."""
        return self.identities[0]

    @property
    def templates(self) -> tuple[Compiled, ...]:
        """What is sent, the first variant's first."""
        return (self.compiled, *(compiled for _, compiled in self.others))

    @property
    def hashes(self) -> tuple[str, ...]:
        """What the plan was made of."""
        others = (version.hash for version, _ in self.others)
        return (self.campaign.hash, self.segment.hash, self.template.hash, *others)

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
    consent_double: bool = False,
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
    writers = {each: identities.get(each) for each in definition.identities}
    for kind, wanted, found in (
        ("segment", definition.segment, segment),
        ("template", definition.template, template),
        *(("identity", each, found) for each, found in writers.items()),
    ):
        if found is None:
            place = "potok.toml" if kind == "identity" else f"{kind}s/"
            raise NotPossible(
                f"Campaign {name!r} names the {kind} {wanted!r}, which does not exist: add it to "
                f"{place} and run potok apply, or change campaigns/{name}.toml"
            )
    assert segment and template  # noqa: S101 - the loop above raised otherwise
    known = {each: found for each, found in writers.items() if found is not None}
    compiled = Compiled.from_body(template.name, template.body or {})
    others = tuple(
        _variant(session, name, each, compiled.topic) for each in definition.templates[1:]
    )
    return Prepared(
        definition=definition,
        campaign=campaign,
        segment=segment,
        template=template,
        compiled=compiled,
        others=others,
        identities=tuple(known.values()),
        terms=Terms(
            permission=permission_for(
                compiled.topic,
                definition.consent,
                required=consent_required,
                double=consent_double,
            ),
            window=definition.window,
            expires_after=definition.expires_after,
            domain=known[definition.identity].domain,
            first=first,
            again=again,
            holdout=definition.holdout,
            variants=_drawn(definition, [template, *(version for version, _ in others)], known),
        ),
    )


def _variant(
    session: Session, campaign: str, name: str, topic: str
) -> tuple[TemplateVersion, Compiled]:
    version = current_version(session, TemplateVersion, name)
    if version is None:
        raise NotPossible(
            f"Campaign {campaign!r} names the template {name!r}, which does not exist: add it to "
            f"templates/ and run potok apply, or change campaigns/{campaign}.toml"
        )
    compiled = Compiled.from_body(name, version.body or {})
    if compiled.topic != topic:
        # Leads allow us to write by topic: who may be written to must not depend on the draw.
        raise NotPossible(
            f"Campaign {campaign!r} has variants about different topics, {topic!r} and "
            f"{compiled.topic!r} ({name}): give them one topic in message.toml"
        )
    return version, compiled


def _drawn(
    definition: CampaignDefinition,
    versions: Sequence[TemplateVersion],
    identities: Mapping[str, Identity],
) -> tuple[Drawn, ...]:
    """The variants with their places; those behind the last one are kept back."""
    ids = {version.name: version.id or 0 for version in versions}
    ends = accumulate(variant.places for variant in definition.variants)
    return tuple(
        Drawn(
            version=ids[each.template],
            below=round(end * definition.goal.test),
            identity=each.identity,
            domain=identities[each.identity].domain if each.identity else "",
            hour=each.hour,
            name=each.name,
        )
        for each, end in zip(definition.variants, ends, strict=True)
    )


def begin(
    session: Session,
    prepared: Prepared,
    *,
    now: datetime,
    by: str,
    token: str,
    when_in_doubt: str,
    occurrence: str | None = None,
) -> Run:
    """Opens the run, or gives back one whose planning was cut off, so that it can go on.

    `occurrence` is the scheduled instant, whose run is given back when there is one. Without it
    the start is by hand. Raises AlreadyRan, and NotPossible when `--again` meets a run that is not
    over.
    """
    name = prepared.definition.name
    if occurrence is not None:
        there = select(Run).where(col(Run.campaign) == name, col(Run.occurrence) == occurrence)
        if (found := session.scalars(there).first()) is not None:
            return found
    drop_unanswered(session, name, now=now)
    earlier = latest_run(session, name)
    terms = prepared.terms
    if occurrence is None:
        cut_off = earlier is not None and earlier.planned_at is None
        if earlier is not None and cut_off and earlier.state == RunState.PLANNING:
            return earlier
        if earlier is not None and earlier.planned_at is not None and not terms.again:
            # Also after scheduled starts: by hand too, nobody is written to twice by accident.
            raise already_ran(earlier)
        if terms.again and earlier is not None and earlier.state not in _OVER:
            raise NotPossible(
                f"Campaign {name!r} is {earlier.state}: it can start again when it is finished or "
                "cancelled"
            )
        terms = replace(terms, again=terms.again and earlier is not None)
        occurrence = now.astimezone(UTC).isoformat() if terms.again else ONCE
    return open_run(
        session,
        campaign=name,
        occurrence=occurrence,
        token=token,
        now=now,
        by=by,
        terms=terms,
        **_frozen(prepared, when_in_doubt),
    )


def drop_unanswered(session: Session, name: str, *, now: datetime) -> None:
    """A newer start takes the place of a scheduled one that still waits for somebody's word."""
    earlier = latest_run(session, name)
    if earlier is not None and earlier.id is not None and unanswered(earlier):
        move_run(
            session,
            earlier.id,
            (RunState.PAUSED,),
            state=RunState.CANCELLED,
            reason="a newer start took its place",
            finished_at=now,
        )
        session.expire(earlier)


def renew(session: Session, run: Run, prepared: Prepared, *, when_in_doubt: str) -> None:
    """Gives a run that nothing was planned for the versions in force, before it is resumed."""
    when = prepared.definition.when
    terms = replace(prepared.terms, again=when is None or when.only_new)
    assert run.id is not None  # noqa: S101 - it came from the database
    frozen = _frozen(prepared, when_in_doubt)
    move_run(session, run.id, (RunState.PAUSED,), terms=terms.body(), **frozen)


def _frozen(prepared: Prepared, when_in_doubt: str) -> dict[str, Any]:
    """What a run keeps of the moment it starts."""
    assert prepared.campaign.id and prepared.segment.id and prepared.template.id  # noqa: S101
    return {
        "campaign_id": prepared.campaign.id,
        "segment_version_id": prepared.segment.id,
        "template_version_id": prepared.template.id,
        "identity": prepared.definition.identity,
        "when_in_doubt": prepared.definition.when_in_doubt or when_in_doubt,
    }


def applied_campaigns(session: Session) -> list[tuple[str, str, str]]:
    """(name, state of the newest run or empty, its reason) of every applied campaign."""
    rows: list[tuple[str, str, str]] = []
    names = session.scalars(select(col(Campaign.name)).distinct().order_by(col(Campaign.name)))
    for name in names.all():
        version: Version | None = current_version(session, Campaign, name)
        if version is not None:
            run = latest_run(session, name)
            rows.append((name, run.state if run else "", run.reason if run else ""))
    return rows
