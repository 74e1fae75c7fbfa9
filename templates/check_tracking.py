"""Tracked links: what would keep them from working, from being trusted, or from being told."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from templates.check_body import Body
from templates.check_links import text_host, under
from templates.finding import Finding
from templates.message_file import MESSAGE, line_of
from templates.source import Source
from templates.tracked_links import NO, YES, Track
from templates.web_links import with_words

_WEB = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracking:
    """How links would be tracked here."""

    #: `[web] base_url`; empty when there is none.
    web_address: str
    #: Makes links as long as those of a mail; gives back what would become too long.
    track: Track


def tracking_findings(source: Source, tracking: Tracking | None) -> Iterator[Finding]:
    """What is wrong with tracking as a whole."""
    yield from _opens(source, tracking)
    if not source.track_links:
        if source.trap_link:
            yield Finding(
                id="trap-without-tracking",
                level="warning",
                where=f"{MESSAGE}:{line_of(source.files[MESSAGE], 'trap_link')}",
                what="trap_link tells machines from people who follow links, and none is tracked",
                do="write track_links = true, or take trap_link out",
            )
        return
    where = f"{MESSAGE}:{line_of(source.files[MESSAGE], 'track_links')}"
    if not any(text.strip() for text in source.html.values()):
        yield Finding(
            id="nothing-tracked",
            level="notice",
            where=where,
            what="links are tracked in the HTML part, and there is none",
            do="write body.html, or take track_links out",
        )
    elif tracking is not None and not tracking.web_address:
        yield Finding(
            id="tracking-without-web",
            level="error",
            where=where,
            what="track_links needs a web address that links can lead over, and none is set",
            do="set [web] base_url in potok.toml, or take track_links out",
        )


def _opens(source: Source, tracking: Tracking | None) -> Iterator[Finding]:
    if not source.track_opens:
        return
    where = f"{MESSAGE}:{line_of(source.files[MESSAGE], 'track_opens')}"
    if not any(text.strip() for text in source.html.values()):
        yield Finding(
            id="opens-not-counted",
            level="notice",
            where=where,
            what="opens are counted by a picture in the HTML part, and there is none",
            do="write body.html, or take track_opens out",
        )
    elif tracking is not None and not tracking.web_address:
        yield Finding(
            id="opens-without-web",
            level="error",
            where=where,
            what="track_opens needs a web address that the picture is fetched from",
            do="set [web] base_url in potok.toml, or take track_opens out",
        )


def tracked_link_findings(
    body: Body, element: Any, source: Source, tracking: Tracking | None
) -> Iterator[Finding]:
    """What is wrong with one `<a>` or `<area>` where links are tracked."""
    mark, address = element.get("data-track"), (element.get("href") or "").strip()
    if not source.track_links:
        return
    if mark is not None and mark.strip().lower() not in NO | YES:
        yield Finding(
            id="unknown-track-mark",
            level="error",
            where=body.where(element),
            what=f'data-track="{body.jinja.sub("...", mark)}" is not understood, so the link is '
            "tracked",
            do='write data-track="no", or take it out',
        )
    elif mark is not None and mark.strip().lower() in NO:
        return
    if tracking is None or not tracking.web_address or not _WEB.match(address):
        return
    plain = with_words(body.jinja.sub("", address), source.utm)
    if tracking.track(plain) == plain:
        yield Finding(
            id="tracked-link-too-long",
            level="warning",
            where=body.where(element),
            what=f"the address has {len(plain):,} characters, too many to be tracked: it stays "
            "as it is and clicks on it are not told",
            do='shorten it, or write data-track="no" to say that this is meant',
        )
    said, web = text_host(body, element), urlsplit(tracking.web_address).hostname or ""
    if said and not under(web, [said]) and not under(said, [web.removeprefix("www.")]):
        yield Finding(
            id="tracked-text-differs",
            level="warning",
            where=body.where(element),
            what=f"the link says {said} and will lead over {web}, as forged mails do",
            do='say it in words, or write data-track="no"',
        )
