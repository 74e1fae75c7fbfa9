"""`docs/settings.md` out of the table of settings: run as `python -m console.settings_page`."""

from collections.abc import Iterator
from itertools import groupby

from console.known_settings import SETTINGS
from console.setting import Setting

_HEAD = """\
# Settings

Everything `potok.toml` may hold. It is read when a command starts; a mistake is answered with the
file, the line and what may be written there, and `potok doctor` looks at the rest. `NAME` is a name
you choose: small letters, digits, `-` and `_`.

Passwords never stand in this file: it names an environment variable (`password_env`) or a file
(`password_file`) that holds them. The workspace's own keys are in `potok.keys`; keep a copy of that
file with your backups.

Two variables are read besides: `POTOK_WORKSPACE` (the workspace, when you are not in its folder)
and `POTOK_USER` (who is at work, as timelines name them; else the login name).
"""


def page() -> str:
    """The page as it should be."""
    return _HEAD + "\n" + "\n".join(_body())


def _body() -> Iterator[str]:
    for table, settings in groupby(SETTINGS, key=_table):
        yield f"## {table}" if table else "## At the top of the file"
        yield ""
        yield "| setting | may be | unless said | what for |"
        yield "|---|---|---|---|"
        for setting in settings:
            key = setting.path.rpartition(".")[2]
            cells = (f"`{key}`", _allowed(setting), _default(setting), setting.about)
            yield f"| {' | '.join(cells)} |"
        yield ""


def _table(setting: Setting) -> str:
    *names, _ = setting.path.split(".")
    if not names:
        return ""
    shown = ".".join("NAME" if name == "*" else name.removesuffix("[]") for name in names)
    return f"`[[{shown}]]`" if names[-1].endswith("[]") else f"`[{shown}]`"


def _default(setting: Setting) -> str:
    if setting.required:
        return "must be said"
    if setting.default is None:
        return ""
    if setting.default == "":
        return "empty"
    return f"`{setting.default}`".replace("`True`", "`true`").replace("`False`", "`false`")


def _allowed(setting: Setting) -> str:
    if setting.kind == "text" and not setting.choices:
        return "text"
    return "list of texts" if setting.kind == "texts" else setting.allowed()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - that is what it is run for
