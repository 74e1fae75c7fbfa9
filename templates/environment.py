"""The one Jinja environment: a sandbox that knows our fields and cannot be made to run away.

Templates are written by people who may copy them from anywhere, so they get no Python object but
plain values, an allowlist of methods and filters, and a budget per rendering: of loop rounds, and
of characters that are printed or worked on. Whatever takes time spends from it, so it bounds the
time as well, and the same template is stopped at the same place on every machine.
"""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import BaseLoader, DictLoader, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Joiner, Namespace
from markupsafe import Markup, escape

from templates.budget import (
    MAX_BITS,
    MAX_CHARACTERS,
    Budget,
    budget,
    in_force,
    measured,
    spend,
    weigh,
    weighed,
)
from templates.circumstances import Deal, Segments
from templates.fields import Scope, Unknown
from templates.filters import FILTERS
from templates.web_links import to_web

#: Numbers `range()` gives at most.
MAX_RANGE = 1_000

_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (
        str,
        frozenset(
            [
                "capitalize",
                "endswith",
                "isalpha",
                "isdigit",
                "lower",
                "lstrip",
                "rstrip",
                "split",
                "startswith",
                "strip",
                "title",
                "upper",
                "count",
                "find",
                "removeprefix",
                "removesuffix",
            ]
        ),
    ),
    (dict, frozenset({"get", "items", "keys", "values"})),
    (list, frozenset({"count", "index"})),
)
_RUNTIME = (LoopContext, Macro, BlockReference, Joiner, Namespace)


@pass_context
def _round(_: Context, value: Any) -> Any:
    # A filter, which costs a tenth of a call; with the context, so that it is not folded away.
    present = in_force()
    if present is not None:
        present.round()
    return value


#: What stands in for a held value; its number is its place in `Budget.held`.
HELD = re.compile(r"zqheld(\d+)x")


def _held(value: Any) -> Any:
    """A stand-in for a value, so that equal choices give equal HTML whatever the values are.

    What may hold elements, or would leave nothing behind, is no mere value and stays.
    """
    present = in_force()
    shown = _shown(value)
    if present is None or isinstance(shown, Markup) or not str(shown).strip():
        return value
    present.held.append(str(escape(shown)))
    return Markup(f"zqheld{len(present.held) - 1}x")  # noqa: S704 - only digits vary


def _range(*arguments: int) -> range:
    numbers = range(*arguments)
    if len(numbers) > MAX_RANGE:
        raise SecurityError(f"range() gives more than {MAX_RANGE:,} numbers")
    return numbers


def _shown(value: Any) -> Any:
    """How an expression's value is printed: lists as words, whole floats without `.0`."""
    if isinstance(value, str):
        if len(value) > 1000:
            spend(len(value))
        return value
    if isinstance(value, (list, tuple)):
        weigh(value)
        return ", ".join(str(each) for each in value)
    if isinstance(value, dict):
        weigh(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None:
        return ""
    return value


class Environment(ImmutableSandboxedEnvironment):
    """Jinja as our templates know it."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is Scope or type(obj) is Deal:
            return obj.seen[attribute] if attribute in obj.seen else obj.field(attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Scope):
            return obj.field(str(argument))
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if attr.startswith("_"):
            return False
        for kind, names in _METHODS:
            if isinstance(obj, kind):
                return attr in names
        return isinstance(obj, _RUNTIME) or type(obj).__name__ == "TemplateModule"

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, (Macro, BlockReference, LoopContext, Joiner, Segments)):
            return True
        if obj in (_held, _range, to_web, Namespace, Joiner):
            return True
        owner = getattr(obj, "__self__", None)
        return isinstance(owner, (str, dict, list, LoopContext))

    def call(self, context: Any, obj: Any, *arguments: Any, **named: Any) -> Any:
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, (str, list, dict)):
            weigh(owner)
        for each in arguments:
            weigh(each)
        return super().call(context, obj, *arguments, **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers (**) are not available")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("text cannot be formatted with %")
        if operator == "*":
            for text, times in ((left, right), (right, left)):
                if isinstance(text, (str, list, tuple)) and isinstance(times, int):
                    spend(len(text) * max(times, 0))
            numbers = isinstance(left, int) and isinstance(right, int)
            if numbers and left.bit_length() + right.bit_length() > MAX_BITS:
                raise SecurityError("the numbers grow without end")
        if operator == "+" and isinstance(left, (str, list, tuple)):
            spend(len(left))
        return super().call_binop(context, operator, left, right)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_bounded(source), *args, **kwargs)


def _bounded(tree: nodes.Template) -> nodes.Template:
    """`tree` with every round of a loop or macro counted, and what `~`, comparisons, slices
    and loop conditions work on measured."""
    again: list[nodes.For | nodes.Macro] = [*tree.find_all(nodes.For), *tree.find_all(nodes.Macro)]
    for block in again:
        tick = nodes.Filter(nodes.Const(""), "_round", [], [], None, None, lineno=block.lineno)
        block.body.insert(0, nodes.ExprStmt(tick, lineno=block.lineno))
    for joined in list(tree.find_all(nodes.Concat)):
        joined.nodes = [_measuring(each) for each in joined.nodes]
    for loop in list(tree.find_all(nodes.For)):
        if loop.test is not None:
            loop.iter = _measuring(loop.iter)
    for taken in list(tree.find_all(nodes.Getitem)):
        if isinstance(taken.arg, nodes.Slice):
            taken.node = _measuring(taken.node)
    for compared in list(tree.find_all(nodes.Compare)):
        for operand in compared.ops:
            # Against a constant it takes no longer than what the author typed.
            if operand.op in ("in", "notin") or not isinstance(compared.expr, nodes.Const):
                operand.expr = _measuring(operand.expr)
    if tree.environment is not None:
        tree.set_environment(tree.environment)
    return tree


def _measuring(node: nodes.Node) -> nodes.Expr:
    if isinstance(node, nodes.Const):
        return node
    assert isinstance(node, nodes.Expr)  # noqa: S101 - what is compared or cut is one
    return nodes.Filter(node, "_measured", [], [], None, None, lineno=node.lineno)


def _is_markup(name: str | None) -> bool:
    return name is not None and name.endswith(".html")


def make_environment(
    partials: Mapping[str, str] | None = None, *, kind: type[Environment] = Environment
) -> Environment:
    """A fresh environment that can include `partials` and nothing else.

    A name ending in `.html` escapes what it prints; every other part is plain text.
    """
    loader: BaseLoader = DictLoader(dict(partials or {}))
    environment = kind(
        loader=loader,
        undefined=Unknown,
        autoescape=_is_markup,
        finalize=_shown,
        cache_size=64,
        auto_reload=False,
    )
    filters = {name: weighed(name, filter) for name, filter in FILTERS.items()}
    environment.filters = {**filters, "_measured": measured, "_round": _round}
    environment.globals = {
        "range": _range,
        "namespace": Namespace,
        "joiner": Joiner,
        "_held": _held,
        "_to_web": to_web,
    }
    return environment


__all__ = ["HELD", "MAX_CHARACTERS", "Budget", "Environment", "budget", "make_environment"]
