"""Templates: what the mail says, right for every single recipient.

Does        source folder to compiled version (CSS inlined once), rendering, text part, checks.
Owns        template_version.
Never       opens the network, reads the database while rendering, lets a template run code.
Standards   RFC 5322 2.2 (one-line subject), BCP 47 (languages), CLDR (dates, money, plurals).
Read        source.py and message_file.py (the folder), enclosed.py (pictures, attachments),
            pieces.py (includes and layouts), protect.py (Jinja hidden), markup.py (trees),
            style_sheet.py and inline.py (CSS), plaintext.py and text_shape.py (text part),
            web_links.py, tracked_links.py, unseen.py, imported.py, compile.py, compiled.py,
            questions.py, fields.py and circumstances.py (what a template may read), environment.py,
            budget.py, filters.py (the sandbox), render.py, rendered.py, check.py, finding.py,
            check_message.py, web_part.py, check_fields.py, check_body.py, check_html.py,
            check_links.py (shorteners.txt), check_tracking.py, check_css.py (mail_clients.toml),
            check_look.py, check_contrast.py, colours.py (colours.txt), branches.py, greeting.py,
            odd_names.py, traits.py, coverage.py (what it makes of everybody), starters/, tables.py,
            errors.py
"""

from templates.branches import Branch, Notes, NotingEnvironment, noting_environment
from templates.check import check
from templates.check_tracking import Tracking
from templates.compile import compile_template
from templates.compiled import Compiled
from templates.coverage import Group, Tally, Way, tally, ways
from templates.enclosed import Enclosed, is_partial
from templates.errors import RenderError, SourceError, TemplateError
from templates.fields import Letter, Links, Sender
from templates.finding import Finding
from templates.message_file import MESSAGE
from templates.odd_names import ODDITIES
from templates.render import render, render_again
from templates.rendered import Rendered
from templates.source import files_like, like_of
from templates.starters import starters
from templates.tables import TemplateVersion
from templates.traits import OF_LEADS, Trait, TraitKind, Tried, traits
from templates.unseen import Unseen
from templates.web_part import web_findings

__all__ = [
    "TemplateVersion",
    "compile_template",
    "Compiled",
    "Sender",
    "Links",
    "Letter",
    "render",
    "render_again",
    "Rendered",
    "Enclosed",
    "is_partial",
    "MESSAGE",
    "like_of",
    "files_like",
    "check",
    "Tracking",
    "Unseen",
    "Finding",
    "noting_environment",
    "NotingEnvironment",
    "Notes",
    "Branch",
    "Tried",
    "Trait",
    "TraitKind",
    "OF_LEADS",
    "ODDITIES",
    "traits",
    "web_findings",
    "tally",
    "Tally",
    "Group",
    "Way",
    "ways",
    "starters",
    "TemplateError",
    "SourceError",
    "RenderError",
]
