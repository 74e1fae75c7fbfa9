"""What every page of ours answers with: headers, language, and how much of a POST is read."""

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from console.web.pages import language_of, policy

#: Bytes of a POST that are read; a one-click body has 26, in a multipart form some 200, a
#: preference form a few hundred.
MOST_BODY = 16_384

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # The token in the address opens the door: it must not travel on.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
}


def headers(**more: str) -> dict[str, str]:
    """Those of a page of ours, which loads nothing and runs nothing."""
    return {**HEADERS, "Content-Security-Policy": policy(), **more}


def html(page: str, status: int = 200, **more: str) -> Response:
    """A page of ours; `more` are further headers."""
    return Response(
        page, status, media_type="text/html", headers=headers(Vary="Accept-Language", **more)
    )


async def body_of(request: Request) -> bytes:
    """The whole body. Raises HTTPException (413) when it is longer than any form of ours."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise HTTPException(413)
    return bytes(body)


def language_for(request: Request, lead: str = "") -> str:
    """The lead's language when we speak it, else the browser's best."""
    return language_of(request.headers.get("accept-language", ""), lead)
