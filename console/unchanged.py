"""Whether a template's files are still those it was applied from: compiling takes 120-150 ms."""

import codecs
from collections.abc import Mapping

from leads import JsonObject
from templates import Compiled


def as_it_was(
    body: JsonObject,
    files: Mapping[str, bytes],
    partials: Mapping[str, bytes],
    segments: Mapping[str, JsonObject],
) -> bool:
    """Whether these files, and nothing outside the folder, made the applied template."""
    asked: Mapping[str, JsonObject] = body.get("segments", {})
    if any(segments.get(name) != closed for name, closed in asked.items()):
        return False
    kept = Compiled.from_body("", body).folder()
    now = {name: data for name, data in files.items() if not name.startswith(".")}
    for name in body["files"].keys() & now.keys():
        # The way templates reads texts: no byte order mark, no Windows line ends.
        now[name] = now[name].removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    if now != kept:
        return False
    return not any(name in text for name in partials for text in body["files"].values())
