"""The document about a person as text and as a page that people can read. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

#: Section -> its heading, in the order they are told.
SECTIONS = {
    "records": "Who it is",
    "preferences": "What it told us",
    "consent": "Consent",
    "consent_requests": "Asked to confirm, and the evidence",
    "chose": "What it chose to get",
    "topics_off": "Topics it switched off",
    "address_changes": "New addresses it asked for",
    "suppression": "Why nothing may be sent to it",
    "deals": "Deals",
    "tasks": "Tasks",
    "queued": "Mails that wait to be sent",
    "messages": "Mails",
    "answers": "What came back",
    "sequences": "Sequences",
    "timeline": "Everything that happened",
}

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #ccc}article{margin:1rem 0;padding:.5rem 1rem;"
    "background:#f6f6f6}dl{display:grid;grid-template-columns:12rem 1fr;gap:.2rem 1rem;margin:0}"
    "dt{color:#555}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}"
)


def person_text(document: Mapping[str, Any], zone: ZoneInfo) -> str:
    """The document as plain text; times on the clock of `zone`."""
    lines = [f"{document['email']}", document["about"], ""]
    for section, heading in SECTIONS.items():
        rows = document[section]
        if not rows:
            continue
        lines += [heading, "=" * len(heading)]
        for row in rows:
            for name, value in _facts(row, zone):
                first, *more = value.splitlines() or [""]
                lines.append(f"  {name}: {first}")
                lines += [f"      {each}" for each in more]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def person_html(document: Mapping[str, Any], zone: ZoneInfo) -> str:
    """The document as one page that needs nothing else; whatever a field holds is text in it."""
    parts = []
    for section, heading in SECTIONS.items():
        rows = document[section]
        told = "".join(
            "<article><dl>"
            + "".join(
                f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
                for name, value in _facts(row, zone)
            )
            + "</dl></article>"
            for row in rows
        )
        parts.append(f"<h2>{heading}</h2>{told or '<p>Nothing.</p>'}")
    title = escape(str(document["email"]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{escape(document['about'])}</p>{''.join(parts)}</body></html>\n"
    )


def _facts(row: Mapping[str, Any], zone: ZoneInfo, before: str = "") -> Iterator[tuple[str, str]]:
    """(name, value) of everything in it that is not empty, what is nested with its path."""
    for name, value in row.items():
        label = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _facts(value, zone, f"{label}, ")
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            for number, each in enumerate(value, 1):
                yield from _facts(each, zone, f"{label} {number}, ")
        elif value not in (None, "", [], ()):
            yield label, _plain(value, zone)


def _plain(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each, zone) for each in value)
    return str(value)
