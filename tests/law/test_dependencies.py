"""Every dependency has its reason, and every package that is imported is a dependency."""

import ast
import re
import sys
import tomllib

from tests.law.tree import ROOMS, ROOT, nodes, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REASONS = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")

#: Import name -> distribution, where they differ.
DISTRIBUTIONS = {
    "email_validator": "email-validator",
    "charset_normalizer": "charset-normalizer",
    "dns": "dnspython",
}


def names(requirements: list[str]) -> set[str]:
    found = {re.split(r"[\s\[<>=;~!]", line, maxsplit=1)[0].lower() for line in requirements}
    return found - {"potok"}


def test_every_dependency_says_why_it_is_there() -> None:
    extras = PROJECT["optional-dependencies"].values()
    wanted = names(PROJECT["dependencies"]).union(*map(names, extras))
    rows = re.findall(r"(?m)^\| ([\w ,()-]+) \|", REASONS)
    explained = {name for row in rows for name in re.findall(r"[\w-]+", row)}
    assert not sorted(wanted - explained), "each needs a row in docs/dependencies.md"


def test_the_rooms_import_only_what_is_declared() -> None:
    declared = names(PROJECT["dependencies"])
    for extra, requirements in PROJECT["optional-dependencies"].items():
        if extra not in ("test", "dev"):
            declared |= names(requirements)
    own = {*sys.stdlib_module_names, *ROOMS}
    found: dict[str, str] = {}
    for path in sources():
        for node in nodes(path):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top not in own and DISTRIBUTIONS.get(top, top.lower()) not in declared:
                    found[top] = str(path.relative_to(ROOT))
    assert not found


def test_the_lock_pins_every_dependency_and_names_no_place() -> None:
    lock = (ROOT / "requirements-lock.txt").read_text(encoding="utf-8")
    pinned = {line.partition("==")[0].lower() for line in lock.splitlines() if "==" in line}
    extras = PROJECT["optional-dependencies"]
    wanted = names(PROJECT["dependencies"]) | names(extras["test"]) | names(extras["dev"])
    assert not sorted(wanted - pinned), "make lock"
    assert not re.search(r"://|@ |--index|--find", lock)
