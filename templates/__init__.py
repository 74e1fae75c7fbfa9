"""Templates: what the mail says, right for every single recipient.

Does        source folder to compiled version (CSS inlined once), rendering, text part, checks.
Owns        template_version.
Never       opens the network, reads the database while rendering, lets a template run code.
Read        tables.py, rendered.py
"""

from templates.rendered import Rendered
from templates.tables import TemplateVersion

__all__ = ["TemplateVersion", "Rendered"]
