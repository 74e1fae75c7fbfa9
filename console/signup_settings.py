"""Consent and the sign-up page, as `potok.toml` says it."""

from dataclasses import dataclass

from console.sections import Section


@dataclass(frozen=True, kw_only=True, slots=True)
class Signup:
    """The page where people sign up."""

    open: bool = False
    #: Empty: the first one.
    identity: str = ""
    per_hour: int = 20


def consent_basis(table: Section) -> str:
    """What every campaign needs of a consent: `none`, `single` or `double`."""
    word: str = table["require"] or "none"
    return "single" if word == "none" and table["required"] else word


def read_signup(root: Section) -> Signup:
    """`[signup]`. Raises SettingsError."""
    table = root.table("signup")
    name: str = table["identity"]
    known = [each for each, _ in root.tables("identity")]
    if name and name not in known:
        raise table.error(
            "identity", f'there is no identity "{name}"; there is: {", ".join(known) or "none yet"}'
        )
    if table["open"] and not root.table("web")["base_url"]:
        raise table.error("open", "open = true needs the address of the page: write [web] base_url")
    return Signup(open=table["open"], identity=name, per_hour=table["per_hour"])
