"""Which ways a template goes for a lead: an environment that takes notes while it renders.

Only for looking (`coverage.py`). Every `{% if %}`, `{% for %}` and `x if y else z` is asked through
a function that writes down what came of it, and so is what goes into `default`; what is sent is
rendered by an environment that knows nothing of this.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jinja2 import nodes

from templates.compiled import Compiled, Part
from templates.environment import Environment, make_environment
from templates.fields import Missing, Scope

_KEYWORD = re.compile(r"\{%[-+]?\s*(\w+)")
_EDGES = re.compile(r"^\{[%{][-+]?\s*|\s*[-+]?[%}]\}$")

_KNOWN_WAYS = 512
#: What templates know that differs from lead to lead.
_OF_LEADS = ("lead", "deal")


class Branch(NamedTuple):
    """One way a template can go at one place."""

    #: `file:line` of this way in the author's own file.
    place: str
    #: As the author wrote it: `if lead.company`, `else`, `for tag in lead.tags`.
    text: str
    #: The whole choice it belongs to, as `file:line text` of its beginning.
    choice: str
    #: False for the `else` that nobody wrote: the choice was passed by.
    written: bool = True


class Default(NamedTuple):
    """A `default` filter."""

    place: str
    #: What it says, as far as that is a constant.
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Notes:
    """What one rendering did."""

    branches: frozenset[Branch] = frozenset()
    #: (field, where its `default` stands)
    defaults: frozenset[tuple[str, Default]] = frozenset()
    #: Field of the lead or its deal -> what the template got for it.
    seen: dict[str, Any] = field(default_factory=dict)


class _Tag(NamedTuple):
    """A `{% ... %}` or `{{ ... }}` in the text that is compiled."""

    line: int
    place: str
    text: str

    @property
    def keyword(self) -> str:
        found = _KEYWORD.match(self.text)
        return found[1] if found else ""

    @property
    def inside(self) -> str:
        return " ".join(_EDGES.sub("", self.text).split())


class NotingEnvironment(Environment):
    """An environment whose templates tell which ways they went. One rendering at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Every branch met while compiling, in the order they stand, by its number.
        self._numbers: dict[Branch, int] = {}
        self._branches: list[Branch] = []
        self._stated: list[Default] = []
        self._parts: dict[str, Part] = {}
        self._taken: set[int] = set()
        self._ways: dict[frozenset[int], frozenset[Branch]] = {}
        self._defaults: set[tuple[str, int]] = set()
        self._scopes: dict[str, Scope] = {}

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Every branch of all that was compiled, in the order they stand."""
        return tuple(self._branches)

    def begin(self) -> None:
        """Forgets the rendering before."""
        self._taken.clear()
        self._defaults.clear()
        self._scopes.clear()

    def notes(self) -> Notes:
        """What was done since `begin`."""
        seen = {
            f"{path}.{name}": answer
            for path, scope in self._scopes.items()
            if path.partition(".")[0] in _OF_LEADS
            for name, answer in scope.seen.items()
            if not isinstance(answer, Scope)
        }
        numbers = frozenset(self._taken)
        taken = self._ways.get(numbers)
        if taken is None:
            # Many leads go the same ways; so many sets of them are remembered.
            taken = frozenset(self._branches[number] for number in numbers)
            if len(self._ways) < _KNOWN_WAYS:
                self._ways[numbers] = taken
        defaults = frozenset((name, self._stated[number]) for name, number in self._defaults)
        return Notes(branches=taken, defaults=defaults, seen=seen)

    def know(self, compiled: Compiled) -> None:
        """Compiles all of a template, so that ways nobody goes are known too."""
        for texts in compiled.texts.values():
            for kind, part in (("txt", texts.subject), ("html", texts.html), ("txt", texts.text)):
                if part is not None:
                    self._parts.setdefault(part.source, part)
                    self.compile(part.source, name=f"part.{kind}")
        for each in compiled.attachments:
            line = (1, "message.toml", each.line)
            self._parts.setdefault(
                each.name, Part(source=each.name, file="message.toml", lines=(line,))
            )
            self.compile(each.name, name="part.txt")
        for name in compiled.partials:
            self.get_template(name)

    # What the compiled templates call.

    def _asked(self, yes: int, no: int, answer: Any) -> bool:
        true = bool(answer)
        if true:
            self._taken.add(yes)
        elif no >= 0:
            self._taken.add(no)
        return true

    def _went(self, branch: int) -> str:
        self._taken.add(branch)
        return ""

    def _given(self, default: int, value: Any) -> Any:
        if isinstance(value, Missing):
            self._defaults.add((str(value._undefined_name), default))
        return value

    def is_safe_callable(self, obj: Any) -> bool:
        return getattr(obj, "__self__", None) is self or super().is_safe_callable(obj)

    def call(self, context: Any, obj: Any, *given: Any, **named: Any) -> Any:
        if getattr(obj, "__self__", None) is self:  # uses up nothing of the template's budget
            return obj(*given)
        return super().call(context, obj, *given, **named)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Scope):
            if attribute in obj.seen:
                return obj.seen[attribute]
            self._scopes[obj.path] = obj
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Scope):
            self._scopes[obj.path] = obj
        return super().getitem(obj, argument)

    # How the calls get there.

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        self._instrument(tree, list(self._tags(source, name)))
        return tree

    def _tags(self, source: str, name: str | None) -> Iterator[_Tag]:
        """The tags of the text that is compiled, each with its place in the author's file."""
        part = self._parts.get(source)
        found: list[tuple[int, str]] = []
        text, start = "", 0
        for line, token, value in self.lexer.tokeniter(source, name):
            if token in ("variable_begin", "block_begin"):
                text, start = value, line
            elif token in ("variable_end", "block_end"):
                found.append((start, text + value))
                start = 0
            elif start:
                text += value
        exact = part is not None and len(part.lines) == len(found)
        for number, (line, text) in enumerate(found):
            if part is None:
                place = f"{name}:{line}"
            elif exact:
                place = f"{part.lines[number][1]}:{part.lines[number][2]}"
            else:
                place = part.place(line)
            yield _Tag(line, place, text)

    def _instrument(self, tree: nodes.Template, tags: list[_Tag]) -> None:
        asked = list(tree.find_all(nodes.If))
        later = {id(each) for node in asked for each in node.elif_}
        blocks = [node for node in tree.find_all((nodes.If, nodes.For)) if id(node) not in later]
        for node, ways in zip(blocks, _choices(tags), strict=True):
            if isinstance(node, nodes.If):
                self._ask(node, ways)
            elif isinstance(node, nodes.For):
                self._count_rounds(node, ways)
        holding = _Holding(tags, re.compile(r"\sif\s"))
        for within in list(tree.find_all(nodes.CondExpr)):
            tag = holding.next(within.lineno)
            start = f"{tag.place} {tag.inside}"
            yes = self._number(Branch(tag.place, f"{tag.inside} [yes]", start))
            written = within.expr2 is not None
            no = self._number(Branch(tag.place, f"{tag.inside} [no]", start, written))
            within.test = _call("_asked", yes, no, within.test)
        holding = _Holding(tags, re.compile(r"\|\s*(?:default|d)\b"))
        for filtered in list(tree.find_all(nodes.Filter)):
            if filtered.name in ("default", "d") and filtered.node is not None:
                tag = holding.next(filtered.lineno)
                said = filtered.args[0] if filtered.args else nodes.Const("")
                text = str(said.value) if isinstance(said, nodes.Const) else "..."
                self._stated.append(Default(tag.place, text))
                filtered.node = _call("_given", len(self._stated) - 1, filtered.node)

    def _number(self, branch: Branch) -> int:
        if branch not in self._numbers:
            self._numbers[branch] = len(self._branches)
            self._branches.append(branch)
        return self._numbers[branch]

    def _ask(self, node: nodes.If, ways: list[_Tag]) -> None:
        start = f"{ways[0].place} {ways[0].inside}"
        asked = [node, *node.elif_]
        numbers = [self._number(Branch(each.place, each.inside, start)) for each in ways]
        if len(numbers) == len(asked):
            numbers.append(self._number(Branch(ways[0].place, "else", start, written=False)))
        for at, each in enumerate(asked):
            no = numbers[-1] if at == len(asked) - 1 else -1
            each.test = _call("_asked", numbers[at], no, each.test)

    def _count_rounds(self, node: nodes.For, ways: list[_Tag]) -> None:
        start = f"{ways[0].place} {ways[0].inside}"
        going = self._number(Branch(ways[0].place, ways[0].inside, start))
        other = ways[1] if len(ways) > 1 else None
        place = other.place if other else ways[0].place
        none = self._number(Branch(place, "else", start, written=other is not None))
        for body, number in ((node.body, going), (node.else_, none)):
            body.insert(0, nodes.ExprStmt(_call("_went", number), lineno=node.lineno))


def _call(name: str, *given: int | nodes.Node) -> nodes.Call:
    arguments = [nodes.Const(each) if isinstance(each, int) else each for each in given]
    return nodes.Call(nodes.Name(name, "load"), arguments, [], None, None)


def _choices(tags: Iterable[_Tag]) -> list[list[_Tag]]:
    """The ways of each `if` and `for`, in the order these begin."""
    found: list[list[_Tag]] = []
    inside: list[list[_Tag]] = []
    for tag in tags:
        if tag.keyword in ("if", "for"):
            found.append([tag])
            inside.append(found[-1])
        elif tag.keyword in ("elif", "else") and inside:
            inside[-1].append(tag)
        elif tag.keyword in ("endif", "endfor") and inside:
            inside.pop()
    return found


class _Holding:
    """Which tags the expressions of a kind stand in, asked for in the order they stand."""

    def __init__(self, tags: Iterable[_Tag], sign: re.Pattern[str]) -> None:
        # One tag may hold several.
        self._left = [tag for tag in tags for _ in sign.findall(tag.inside)]

    def next(self, line: int) -> _Tag:
        """The tag of the next expression at `line`; a tag may begin on a line before."""
        at = [number for number, tag in enumerate(self._left) if tag.line <= line]
        same = [number for number in at if self._left[number].line == line]
        if same:
            return self._left.pop(same[0])
        return self._left[at[-1]] if at else _Tag(line, f":{line}", "")


def noting_environment(compiled: Compiled) -> NotingEnvironment:
    """An environment for `render(..., environment=)` that knows all branches of `compiled`."""
    made = make_environment(compiled.partials, kind=NotingEnvironment)
    assert isinstance(made, NotingEnvironment)  # noqa: S101 - as asked for
    made.globals |= {"_asked": made._asked, "_went": made._went, "_given": made._given}
    made.know(compiled)
    return made
