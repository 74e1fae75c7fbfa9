"""Templates to start from: good-looking, tried in clients that are hard to please."""

from importlib.resources import files


def starters() -> dict[str, dict[str, bytes]]:
    """Every starter by name: its files by file name, as `potok templates new` writes them."""
    return {
        folder.name: {
            file.name: file.read_bytes()
            for file in sorted(folder.iterdir(), key=lambda each: each.name)
        }
        for folder in sorted(files(__name__).iterdir(), key=lambda each: each.name)
        if folder.is_dir() and not folder.name.startswith("_")
    }
