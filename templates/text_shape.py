"""Links, lists inside lists, numbers, quotes and blank lines of a text part, settled at the end.

While the text is a template they are marks, because loops and conditions decide how many items
there are and where a list ends. Control characters never come from a lead's data.
"""

import re

#: Marks around a link's address in the text; control characters never come from lead data.
LINK_START, LINK_END = "\x01", "\x02"
#: Around what stands further in, below the words of its item; around a quotation.
IN, OUT = "\x05", "\x06"
QUOTE, UNQUOTE = "\x11", "\x12"
#: Around a numbered list, and before each of its items.
NUMBERS, END_NUMBERS, NUMBER = "\x0f", "\x10", "\x0e"
#: A space that was written to be seen.
SPACE = "\x13"

_MARKS = (IN, OUT, NUMBER, NUMBERS, END_NUMBERS, QUOTE, UNQUOTE, SPACE)
_EACH = re.compile(f"([{IN}{OUT}{NUMBER}-{UNQUOTE}])")


def is_shaped(text: str) -> bool:
    """Whether there is any mark in it: most mails have none."""
    # A search for each: a class of characters is looked for fifty times slower.
    return any(mark in text for mark in _MARKS)


def shaped(lines: list[str]) -> list[str]:
    """The lines with their marks made into numbers, spaces and `>`."""
    levels: list[str] = []
    counts: list[int] = []
    done: list[str] = []
    for line in lines:
        words: list[str] = []
        before: str | None = None
        wide, said = 2, False
        for piece in _EACH.split(line):
            if piece in (IN, QUOTE):
                levels.append(" " * wide if piece == IN else "> ")
            elif piece in (OUT, UNQUOTE) and levels:
                levels.pop()
            elif piece == NUMBERS:
                counts.append(0)
            elif piece == END_NUMBERS and counts:
                counts.pop()
            elif piece == NUMBER and counts:
                counts[-1] += 1
                before = "".join(levels) if before is None else before
                words.append(f"{counts[-1]}. ")
                wide = len(words[-1])
            elif piece.strip():
                before = "".join(levels) if before is None else before
                words.append(piece)
                said = True
        if before is not None and said:
            # A dash alone is an item that came out empty.
            if (text := "".join(words).rstrip()) != "-":
                done.append((before + text).replace(SPACE, " ").rstrip())
        elif not line:
            _gap(done, "".join(levels).strip())
    while done and not done[-1].strip("> "):
        done.pop()
    return done


def _gap(done: list[str], mark: str) -> None:
    """One empty line; where a quotation begins or ends it does not belong to it."""
    if done and done[-1].strip("> ") == "":
        done[-1] = min(done[-1], mark, key=len)
    elif done:
        done.append(mark)


def finish(text: str) -> str:
    """Rendered text with its links numbered at the end and its blank lines in order."""
    urls: dict[str, int] = {}

    first, *marked = text.split(LINK_START)
    pieces = [first]
    for piece in marked:
        link, end, rest = piece.partition(LINK_END)
        if not end:
            pieces.append(LINK_START + piece)
            continue
        before, url = pieces[-1], "".join(link.split())
        if before[-1:].isspace():
            pieces[-1] = before = before[:-1]
        if url and not _says(before, url):
            pieces.append(f" [{urls.setdefault(url, len(urls) + 1)}]")
        pieces.append(rest)

    whole = "".join(pieces)
    lines = [line.strip() for line in whole.split("\n")]
    if "|" in whole:
        lines = [_without_bars(line) for line in lines]
    if "-" in lines:  # items that came out empty
        lines = [line for line in lines if line != "-"]
    if is_shaped(whole):
        lines = shaped(lines)
    text = "\n".join(lines).strip()
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    if urls:
        text += "\n\n" + "\n".join(f"[{place}] {url}" for url, place in urls.items())
    return text + "\n"


def _says(before: str, url: str) -> bool:
    """Whether the words before a link are its address already."""
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    if before.endswith(shown):
        return True
    if not url.startswith("http") or url.count("/") > 3 or (url.count("/") == 3 and url[-1] != "/"):
        return False
    # "example.com" says as much as the address of its first page.
    site = url.partition("//")[2].rstrip("/")
    words = before.rstrip("/")
    return words.endswith(site) and not re.search(r"[\w.-]$", words[: len(words) - len(site)])


def _without_bars(line: str) -> str:
    """The line without the bars of cells that turned out empty."""
    if line and (line[0] == "|" or line[-1] == "|"):
        return line.strip("| \t")
    return line
