"""The one Jinja environment: a sandbox that knows our fields and cannot be made to run away.

Templates are written by people who may copy them from anywhere, so they get no Python object but
plain values, an allowlist of methods and filters, and a budget of loop rounds and output per
rendering.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import BaseLoader, DictLoader, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Joiner, Namespace
from markupsafe import Markup, escape

from templates.fields import Scope, Unknown
from templates.filters import FILTERS

#: Rounds of all loops together in one rendering of one part.
MAX_ROUNDS = 20_000
#: Characters one part may have; also the bound of every text made on the way.
MAX_CHARACTERS = 2_000_000
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


class Budget:
    """What one rendering may still use up."""

    __slots__ = ("characters", "held", "rounds")

    def __init__(self) -> None:
        self.rounds = MAX_ROUNDS
        self.characters = 2 * MAX_CHARACTERS
        #: Values taken out of the HTML until it is inlined, escaped.
        self.held: list[str] = []

    def round(self) -> None:
        self.rounds -= 1
        if self.rounds < 0:
            raise SecurityError(f"the loops go round more than {MAX_ROUNDS:,} times")

    def spend(self, characters: int) -> None:
        self.characters -= characters
        if self.characters < 0:
            raise SecurityError(f"the text grows beyond {MAX_CHARACTERS:,} characters")


#: None while Jinja folds constants at compile time: what an author typed out is small enough.
_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget() -> Iterator[Budget]:
    """One rendering's budget, in force inside the block."""
    fresh = Budget()
    token = _budget.set(fresh)
    try:
        yield fresh
    finally:
        _budget.reset(token)


def _spend(characters: int) -> None:
    present = _budget.get()
    if present is not None:
        present.spend(characters)


def _round() -> str:
    present = _budget.get()
    if present is not None:
        present.round()
    return ""


#: What stands in for a held value; its number is its place in `Budget.held`.
HELD = re.compile(r"zqheld(\d+)x")


def _held(value: Any) -> Any:
    """A stand-in for a value, so that equal choices give equal HTML whatever the values are.

    What may hold elements, or would leave nothing behind, is no mere value and stays.
    """
    present = _budget.get()
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
            _spend(len(value))
        return value
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None:
        return ""
    return value


class Environment(ImmutableSandboxedEnvironment):
    """Jinja as our templates know it."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is Scope:
            return obj.seen[attribute] if attribute in obj.seen else obj.field(attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is Scope:
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
        if isinstance(obj, (Macro, BlockReference, LoopContext, Joiner)):
            return True
        if obj in (_round, _held, _range, Namespace, Joiner):
            return True
        owner = getattr(obj, "__self__", None)
        return isinstance(owner, (str, dict, list, LoopContext))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers (**) are not available")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("text cannot be formatted with %")
        if operator == "*":
            for text, times in ((left, right), (right, left)):
                if isinstance(text, (str, list, tuple)) and isinstance(times, int):
                    _spend(len(text) * max(times, 0))
        if operator == "+" and isinstance(left, (str, list, tuple)):
            _spend(len(left))
        return super().call_binop(context, operator, left, right)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_bounded(source), *args, **kwargs)


def _bounded(tree: nodes.Template) -> nodes.Template:
    """`tree` with every round of a loop or macro counted and every `~` measured."""
    again: list[nodes.For | nodes.Macro] = [*tree.find_all(nodes.For), *tree.find_all(nodes.Macro)]
    for block in again:
        tick = nodes.Call(nodes.Name("_round", "load"), [], [], None, None)
        block.body.insert(0, nodes.ExprStmt(tick, lineno=block.lineno))
    for joined in list(tree.find_all(nodes.Concat)):
        joined.nodes = [
            nodes.Filter(each, "_measured", [], [], None, None, lineno=each.lineno)
            for each in joined.nodes
        ]
    if tree.environment is not None:
        tree.set_environment(tree.environment)
    return tree


def _measured(value: Any) -> Any:
    if isinstance(value, str):
        _spend(len(value))
    return value


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
    environment.filters = {**FILTERS, "_measured": _measured}
    environment.globals = {
        "range": _range,
        "namespace": Namespace,
        "joiner": Joiner,
        "_round": _round,
        "_held": _held,
    }
    return environment


__all__ = ["HELD", "MAX_CHARACTERS", "Budget", "Environment", "budget", "make_environment"]
