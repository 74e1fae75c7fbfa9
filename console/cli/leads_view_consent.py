"""How a request to confirm a consent is told on the screen."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any


def request_line(request: Mapping[str, Any], *, zone: tzinfo, now: datetime) -> str:
    """`for news, form footer: asked 2026-03-31 14:30 from 203.0.113.0/24 (pl 3f2a9c41), ...`"""

    def clock(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    about = ", ".join(each or "everything" for each in request["topics"])
    asked = f"for {about}, {request['source']}: asked {clock(request['asked_at'])}"
    asked += _from(request["asked_from"], request["asked_with"])
    if request["confirmed_at"] is not None:
        said = _from(request["confirmed_from"], request["confirmed_with"])
        return f"{asked}, confirmed {clock(request['confirmed_at'])}{said}"
    if now >= request["expires_at"]:
        return f"{asked}, no answer"
    if request["sent_at"] is None:
        return f"{asked}, the mail waits to be sent"
    return f"{asked}, waiting for the answer until {clock(request['expires_at'])}"


def _from(network: str, wording: Mapping[str, str] | None) -> str:
    where = f" from {network}" if network else ""
    return where + (f" (text {wording['version']})" if wording else "")
