"""Names and fields that do not exist, in whatever branch: found in the Jinja itself."""

from collections.abc import Iterator
from difflib import get_close_matches

from jinja2 import TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from templates.environment import Environment
from templates.fields import KNOWN, OPEN_FIELDS
from templates.finding import Finding

#: Names that are there without the author's doing.
_GIVEN = frozenset({*KNOWN, "language", "range", "namespace", "joiner", "loop", "self"})


def _path(node: nodes.Node) -> tuple[str, ...]:
    """`lead.attributes.industry` of a chain of attributes; empty for anything else."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        above = _path(node.node)
        return (*above, node.attr) if above else ()
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        above = _path(node.node)
        return (*above, str(node.arg.value)) if above else ()
    return ()


def paths(environment: Environment, text: str) -> set[str]:
    """Every dotted name a Jinja text reads: `links.unsubscribe`."""
    tree = environment.parse(text)
    found = tree.find_all((nodes.Getattr, nodes.Getitem))
    return {".".join(_path(node)) for node in found}


def unknown_fields(environment: Environment, file: str, text: str) -> Iterator[Finding]:
    """Names and fields that do not exist, wherever they stand."""
    try:
        tree = environment.parse(text, file)
    except TemplateSyntaxError as error:
        yield _unknown(file, error.lineno, error.message or "syntax error", "correct the line")
        return
    free = find_undeclared_variables(tree)
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in free and name.name not in _GIVEN:
            yield _unknown(file, name.lineno, f"{name.name} is not known", _nearest_name(name.name))
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = _path(node)
        if len(path) != 2 or path[0] not in KNOWN or path[0] not in free:
            continue
        if path[1] not in KNOWN[path[0]]:
            where = _nearest_field(path[0], path[1])
            yield _unknown(file, node.lineno, f"{path[0]}.{path[1]} is not known", where)


def _unknown(file: str, line: int, what: str, do: str) -> Finding:
    return Finding(id="unknown-field", level="error", where=f"{file}:{line}", what=what, do=do)


def _nearest_name(name: str) -> str:
    fields = {field: f"{scope}.{field}" for scope, each in KNOWN.items() for field in each}
    if name in fields:
        return f"write {fields[name]}"
    close = get_close_matches(name, [*KNOWN, *fields], n=1, cutoff=0.6)
    if close:
        return f"did you mean {fields.get(close[0], close[0])}?"
    return "known are " + ", ".join(KNOWN)


def _nearest_field(scope: str, field: str) -> str:
    close = get_close_matches(field, KNOWN[scope], n=1, cutoff=0.6)
    if close:
        return f"did you mean {scope}.{close[0]}?"
    if scope == "lead":
        return f"a column of your own is lead.{OPEN_FIELDS[0]}.{field}"
    return "known are " + ", ".join(f"{scope}.{each}" for each in KNOWN[scope])
