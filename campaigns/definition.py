"""What a campaign file says: `campaigns/*.toml` as a value."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from campaigns.errors import DefinitionError
from campaigns.variants import Goal, Variant, read_goal, read_variants
from campaigns.when import When, read_when, span
from campaigns.window import Window, read_window
from leads import Permission

_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
#: More than half held out is a campaign turned round.
MOST_HELD_OUT = 0.5
_KEYS = (
    "description",
    "segment",
    "template",
    "identity",
    "window",
    "expires_after",
    "when_in_doubt",
    "when",
    "holdout",
    "hour",
    "variant",
    "goal",
    "consent",
)
#: What a campaign may ask of a consent, beyond what the workspace does.
CONSENT = ("single", "double")


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignDefinition:
    """One campaign as its file describes it."""

    name: str
    segment: str
    template: str
    identity: str
    description: str = ""
    window: Window | None = None
    #: A message not sent this long after the start is not sent at all.
    expires_after: timedelta = timedelta(days=5)
    #: hold | resend; None takes the workspace's `[delivery] when_in_doubt`.
    when_in_doubt: str | None = None
    #: When it starts by itself; None: by hand only.
    when: When | None = None
    #: Share of those who match that gets nothing, always the same leads: to compare with.
    holdout: float = 0.0
    #: With several templates: all of them, `template` first.
    variants: tuple[Variant, ...] = ()
    #: What makes one of them the better one.
    goal: Goal = field(default_factory=Goal)
    #: `single`: the consent must be recorded; `double`: and confirmed by link. Empty: what the
    #: workspace asks for.
    consent: str = ""

    @property
    def templates(self) -> tuple[str, ...]:
        """Every template it sends, the first variant's first."""
        return tuple(dict.fromkeys(each.template for each in self.variants)) or (self.template,)

    @property
    def identities(self) -> tuple[str, ...]:
        """Everybody who writes, the campaign's own identity first."""
        others = (each.identity for each in self.variants)
        return tuple(dict.fromkeys((self.identity, *filter(None, others))))

    def body(self) -> dict[str, Any]:
        """The closed JSON form that is frozen as a version."""
        body: dict[str, Any] = {
            "description": self.description,
            "segment": self.segment,
            "template": self.template,
            "identity": self.identity,
            "window": self.window.body() if self.window else None,
            "expires_after": int(self.expires_after.total_seconds()),
            "when_in_doubt": self.when_in_doubt,
        }
        # Left away when there is none, so that versions of before stay what they are.
        if self.when:
            body["when"] = self.when.body()
        if self.holdout:
            body["holdout"] = self.holdout
        if self.variants:
            body["variants"] = [each.body() for each in self.variants]
            body["goal"] = self.goal.body()
        if self.consent:
            body["consent"] = self.consent
        return body


def of_body(name: str, body: Mapping[str, Any]) -> CampaignDefinition:
    """The definition a frozen version holds."""
    return CampaignDefinition(
        name=name,
        description=body["description"],
        segment=body["segment"],
        template=body["template"],
        identity=body["identity"],
        window=Window.of_body(body["window"]) if body["window"] else None,
        expires_after=timedelta(seconds=body["expires_after"]),
        when_in_doubt=body["when_in_doubt"],
        when=When.of_body(body["when"]) if body.get("when") else None,
        holdout=body.get("holdout", 0.0),
        variants=tuple(map(Variant.of_body, body.get("variants", ()))),
        goal=Goal.of_body(body["goal"]) if "goal" in body else Goal(),
        consent=body.get("consent", ""),
    )


def check_name(name: str, where: str) -> str:
    """`name` when it can name a file, a header part and an address part; else DefinitionError."""
    if not _NAME.match(name):
        raise DefinitionError(
            f"{where}: {name!r} cannot be a name; use small letters, digits, - and _"
        )
    return name


def read_definition(name: str, data: Mapping[str, Any]) -> CampaignDefinition:
    """The parsed TOML of `campaigns/<name>.toml` as a definition.

    Raises DefinitionError: one line with file, key and what to write instead.
    """
    where = f"campaigns/{name}.toml"
    check_name(name, where)
    for key in data:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(_KEYS)}"
            raise DefinitionError(f"{where}: unknown key {key!r}{hint}")
    texts = {key: _text(data, key, where) for key in ("segment", "template", "identity")}
    window = data.get("window")
    if window is not None and not isinstance(window, Mapping):
        raise DefinitionError(
            f"{where}: window is a table: [window] with days, from, to and skip_holidays"
        )
    doubt = data.get("when_in_doubt")
    if doubt not in (None, "hold", "resend"):
        raise DefinitionError(f'{where}: when_in_doubt is "hold" or "resend", not {doubt!r}')
    variants = read_variants(data, texts["template"], texts["identity"], where)
    if "hour" in data and not variants:
        raise DefinitionError(
            f"{where}: hour tells one [[variant]] from another; without variants write [window]"
        )
    return CampaignDefinition(
        name=name,
        description=str(data.get("description", "")),
        window=read_window(window, where) if window is not None else None,
        expires_after=span(data.get("expires_after", "5 days"), where, "expires_after"),
        when_in_doubt=doubt,
        when=read_when(data["when"], where) if "when" in data else None,
        holdout=_share(data.get("holdout", 0), where),
        variants=variants,
        goal=read_goal(data, where),
        consent=read_consent(data, where),
        **texts,
    )


def read_consent(data: Mapping[str, Any], where: str) -> str:
    """What the file asks of a consent; empty when it says nothing. Raises DefinitionError."""
    word = data.get("consent", "")
    if (word and word not in CONSENT) or not isinstance(word, str):
        raise DefinitionError(
            f'{where}: consent is "single" (recorded) or "double" (and confirmed by link), not '
            f"{word!r}"
        )
    return word


def permission_for(topic: str, consent: str, *, required: bool, double: bool) -> Permission:
    """What mail about `topic` needs: the stricter of the workspace and the file's `consent`."""
    return Permission(
        topic=topic,
        consent_required=required or bool(consent),
        double=double or consent == "double",
    )


def _share(value: Any, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= MOST_HELD_OUT or round(value, 4) != value:
        raise DefinitionError(
            f"{where}: holdout is the share that gets nothing, from 0 to {MOST_HELD_OUT}: "
            f"holdout = 0.05 for one in twenty, not {value!r}"
        )
    return float(value)


def _text(data: Mapping[str, Any], key: str, where: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(f'{where}: {key} is missing; write {key} = "NAME"')
    return value.strip()
