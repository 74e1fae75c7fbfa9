"""What is put behind a mail's HTML for machines: the picture that counts opens, the trap link."""

import re
from dataclasses import dataclass
from html import escape

_END = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unseen:
    """Addresses of this one message; empty ones are left out."""

    #: Fetched by whoever shows the mail's pictures.
    pixel: str = ""
    #: Followed by whoever follows what people do not see.
    trap: str = ""


def with_unseen(page: str, unseen: Unseen) -> str:
    """The HTML with both before the end of its body.

    The picture is not hidden, or some programs would not fetch it. The link has no words, is out
    of the order of the Tab key and not read out (WAI-ARIA 1.2 aria-hidden).
    """
    more = ""
    if unseen.trap:
        more += (
            f'<a href="{escape(unseen.trap)}" style="display:none" aria-hidden="true" '
            'tabindex="-1" rel="nofollow"></a>'
        )
    if unseen.pixel:
        more += f'<img src="{escape(unseen.pixel)}" alt="" width="1" height="1" border="0">'
    if not more:
        return page
    ends = list(_END.finditer(page))
    at = ends[-1].start() if ends else len(page)
    return page[:at] + more + page[at:]
