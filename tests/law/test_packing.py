"""What an installation needs is packed: files that are not Python are named in pyproject.toml."""

import tomllib
from pathlib import Path

from tests.law.tree import ROOMS, ROOT, name_of

PACKED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
    "package-data"
]


def package_of(path: Path) -> Path:
    """The nearest folder above that Python imports."""
    folder = path.parent
    while not (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def test_every_data_file_of_a_room_is_packed() -> None:
    forgotten = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_dir() or path.suffix in (".py", ".pyc"):
                continue
            package = package_of(path)
            dotted = ".".join(package.relative_to(ROOT).parts)
            patterns = [*PACKED["*"], *PACKED.get(dotted, [])]
            if not any(path in package.glob(pattern) for pattern in patterns):
                forgotten.append(name_of(path))
    assert not forgotten
