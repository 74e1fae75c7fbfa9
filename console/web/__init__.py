"""The web part: the opt-out page, and the preview of templates (`preview.py`).

`create_app` builds it, `open_page` binds it for a workspace, `Page.serve` runs it meanwhile.
"""

from console.web.app import create_app
from console.web.page import Page, open_page
from console.web.serving import listening, serve

__all__ = ["Page", "create_app", "listening", "open_page", "serve"]
