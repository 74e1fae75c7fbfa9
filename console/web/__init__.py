"""The web part: the opt-out page. `create_app` builds it, `serve` runs it beside the sender."""

from console.web.app import create_app
from console.web.serving import listening, serve

__all__ = ["create_app", "listening", "serve"]
