"""A look at a template as one file: `potok templates preview NAME --once FILE.html`."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

from console.mail_parts import WIDTHS
from console.web.preview import Look


def preview_page(look: Look, html: str | None) -> str:
    """The whole page as HTML, the mail (`html`) inside its frames. Needs nothing else."""
    here = files("console.web")
    frames = "".join(
        f"<figure><figcaption>{name.title()}, {width} px</figcaption>"
        f'<iframe sandbox title="{name}" width="{width}" height="{900 if width < 500 else 760}" '
        f'srcdoc="{escape(html, quote=True)}"></iframe></figure>'
        for name, width in WIDTHS.items()
        if html is not None
    )
    if look.wrong is not None:
        body = f'<p class="wrong">{escape(f"{look.wrong.where} {look.wrong.what}".strip())}</p>'
    else:
        body = (
            (f'<div class="frames">{frames}</div>' if frames else "")
            + f"<h2>Text part</h2><pre>{escape(look.text)}</pre>"
            + f"<h2>Headers</h2><pre>{escape(look.headers)}</pre>"
        )
    words: Mapping[str, str] = {
        "style": here.joinpath("preview_once.css").read_text("utf-8").strip(),
        "title": escape(f"{look.template} for {look.lead.email}"),
        "template": escape(look.template),
        "lead": escape(look.lead.email),
        "subject": escape(look.subject or "no subject"),
        "body": body,
    }
    return Template(here.joinpath("preview_once.html").read_text("utf-8")).substitute(words)
