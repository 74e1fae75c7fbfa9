"""What a template prints that only a workspace with a web part has, found in its Jinja."""

from collections.abc import Iterator

from jinja2 import nodes

from templates.compiled import Compiled, Part
from templates.environment import make_environment
from templates.fields import WEB_LINKS
from templates.finding import Finding


def web_findings(compiled: Compiled) -> list[Finding]:
    """Findings about a template of a workspace without a web address: links that would be empty.

    Who asks first (`{% if links.preferences %}`) gets none; they are there or not there together.
    """
    jinja = make_environment(compiled.partials)
    parts = [p for t in compiled.texts.values() for p in (t.subject, t.html, t.text) if p]
    parts += [Part(source=text, file=name) for name, text in compiled.partials.items()]
    found: dict[tuple[str, str], Finding] = {}
    for part in parts:
        if not any(each.partition(".")[2] in part.source for each in WEB_LINKS):
            continue
        for name, line in _printed(jinja.parse(part.source)):
            found.setdefault(
                (part.file, name),
                Finding(
                    id="no-web-address",
                    level="error",
                    where=part.place(line),
                    what=f"{name} is empty, because potok.toml has no [web] base_url: no mail "
                    "could be made",
                    do=f"set base_url to the https address of this server, or ask first: "
                    f"{{% if {name} %}} ... {{% endif %}}",
                ),
            )
    return list(found.values())


def _printed(node: nodes.Node) -> Iterator[tuple[str, int]]:
    """(link, line) of what is used where nobody asked whether it is there."""
    match node:
        case nodes.If() | nodes.CondExpr() if _asks(node.test):
            return
        case nodes.Or() | nodes.And() | nodes.Filter(name="default" | "d"):
            return
        case nodes.Getattr() | nodes.Getitem() if name := _link(node):
            yield name, node.lineno
        case nodes.If() | nodes.CondExpr():
            for child in node.iter_child_nodes(exclude=("test",)):
                yield from _printed(child)
        case _:
            for child in node.iter_child_nodes():
                yield from _printed(child)


def _asks(test: nodes.Node) -> bool:
    return any(map(_link, (test, *test.find_all((nodes.Getattr, nodes.Getitem)))))


def _link(node: nodes.Node) -> str:
    match node:
        case nodes.Getattr(node=nodes.Name(name="links"), attr=attr):
            name = f"links.{attr}"
        case nodes.Getitem(node=nodes.Name(name="links"), arg=nodes.Const(value=attr)):
            name = f"links.{attr}"
        case _:
            return ""
    return name if name in WEB_LINKS else ""
