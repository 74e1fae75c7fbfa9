"""`GET /o/TOKEN.gif`: a picture of one clear point, and the fetch written down afterwards.

As with tracked links this GET adds a line and changes nothing else; HEAD answers the same and
writes nothing. A token that is not ours gets the same picture: a mail shows no broken one.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime

from fastapi import FastAPI, Request, Response

from campaigns import OPENED_LINK
from console.web.clicks import ClickBook, visit_of
from deliverability import FollowedLink, read_token

#: GIF89a, one transparent point, 43 bytes.
_PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

_HEADERS = {
    # Asked for again each time the mail is opened.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    # Web mail shows it on a page of its own.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def add_opens(
    app: FastAPI, keys: Sequence[bytes], now: Callable[[], datetime], book: ClickBook
) -> None:
    """Puts the address into the application."""

    @app.api_route("/o/{name}", methods=["GET", "HEAD"])
    async def picture(name: str, request: Request) -> Response:
        ticket = read_token(keys, OPENED_LINK, name.removesuffix(".gif"))
        if ticket is not None and request.method == "GET":
            link = FollowedLink(
                lead_token=ticket.lead_token, message_id=ticket.message_id, target=""
            )
            book.note(link, visit_of(request.headers, link, now()))
        return Response(_PICTURE, media_type="image/gif", headers=_HEADERS)
