"""When a planned send ends, by everybody's own limits, and what keeps the end away."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from campaigns.definition import CampaignDefinition
from campaigns.finding import Finding
from campaigns.forecast import Companies, Forecast, LaneLoad, forecast, together
from campaigns.window import Window
from deliverability import OTHER, Domain, Limits, allowance, progress, used_today
from leads import Lead


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """The calendar of a plan, and what it rests on."""

    forecast: Forecast
    definition: CampaignDefinition
    limits: Mapping[str, Limits]
    #: Identity -> the step of its warm-up, counted from 0.
    steps: Mapping[str, int]
    companies: Companies | None
    #: The company with most messages.
    largest: str
    now: datetime

    @staticmethod
    def of(
        session: Session,
        definition: CampaignDefinition,
        fits: ColumnElement[bool],
        lanes: Mapping[tuple[str, str], int],
        limits: Mapping[str, Limits],
        *,
        per_minute: Callable[[str, str], float],
        domain_per_hour: int | None,
        now: datetime,
        zone: ZoneInfo,
    ) -> "Ends":
        """Walks the calendar for each of those who write; `fits` are the leads that get it, and
        `lanes` how many of them each identity has in each lane."""
        largest, companies = "", None
        if domain_per_hour is not None:
            largest, sizes = _companies(session, fits)
            companies = Companies(per_hour=domain_per_hour, sizes=sizes)
        window = _with_country(session, definition.window, fits)
        today = now.astimezone(zone).date()
        steps: dict[str, int] = {}
        walks = []
        for name, its in limits.items():
            at = progress(session, name) if its.warm_up is not None else None
            steps[name] = at.step if at is not None else 0
            loads = [
                LaneLoad(provider=provider, messages=count, rate=per_minute(name, provider) / 60.0)
                for (each, provider), count in sorted(lanes.items())
                if each == name
            ]
            walks.append(
                forecast(
                    loads,
                    now=now,
                    zone=zone,
                    window=window,
                    limits=its,
                    step=steps[name],
                    used_today=used_today(session, name, today),
                    companies=companies,
                )
            )
        return Ends(
            forecast=together(walks),
            definition=definition,
            limits=limits,
            steps=steps,
            companies=companies,
            largest=largest,
            now=now,
        )

    def findings(self) -> Iterator[Finding]:
        """What somebody should know of the end."""
        where = f"campaigns/{self.definition.name}.toml"
        for name, its in self.limits.items():
            if its.warm_up is not None and not its.warm_up.over(self.steps[name]):
                today = allowance(its.warm_up, self.steps[name], its.per_day)
                yield Finding(
                    id="warm-up",
                    level="info",
                    where=f"potok.toml [identity.{name}.limits]",
                    what=f"{name} warms up: {today:,} a day now, and the end is reckoned as if "
                    "every day went well",
                    do=f"see how it goes with potok identity warm-up {name}",
                )
        if self.companies is not None and self.companies.largest > self.companies.per_hour:
            yield Finding(
                id="one-company",
                level="info",
                where="potok.toml [delivery]",
                what=f"{self.companies.largest:,} of them are at {self.largest}, which gets at "
                f"most {self.companies.per_hour} an hour",
                do="nothing, or set domain_per_hour",
            )
        finish = self.forecast.finish_at
        if finish is not None and finish > self.now + self.definition.expires_after:
            yield Finding(
                id="expires-first",
                level="warning",
                where=where,
                what="the last ones would leave after they have expired "
                f"({self.definition.expires_after.days} days after the start), so they are not "
                "sent",
                do="set a longer expires_after, write to fewer leads, or raise what holds it back",
            )


def _companies(session: Session, fits: ColumnElement[bool]) -> tuple[str, dict[int, int]]:
    """The company domain with most of the leads, and how many have how many."""
    provider = func.coalesce(col(Domain.provider), OTHER)
    rows = session.execute(
        select(col(Lead.domain), func.count().label("many"))
        .select_from(Lead)
        .outerjoin(Domain, col(Domain.name) == col(Lead.domain))
        .where(fits, provider == OTHER)
        .group_by(col(Lead.domain))
        .order_by(func.count().desc(), col(Lead.domain))
    )
    largest, sizes = "", dict[int, int]()
    for domain, count in rows:
        largest = largest or domain
        sizes[count] = sizes.get(count, 0) + 1
    return largest, sizes


def _with_country(
    session: Session, window: Window | None, fits: ColumnElement[bool]
) -> Window | None:
    """A window that skips holidays, with those of the country most of the leads are in."""
    if window is None or not window.skip_holidays:
        return window
    country = session.scalar(
        select(col(Lead.country))
        .where(fits, col(Lead.country) != "")
        .group_by(col(Lead.country))
        .order_by(func.count().desc(), col(Lead.country))
        .limit(1)
    )
    return replace(window, country=country or window.country)
