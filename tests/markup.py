"""Reads a page strictly: what is opened is closed, names are unique, references lead somewhere."""

import re
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "img", "input", "hr"}
_SPACE = re.compile(r"\s+")


class Page(HTMLParser):
    """A page's text and attributes.

    Attributes:
        text: what a reader sees, spaces as one.
        tags: every element with its attributes.
        problems: what is wrong with the markup.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self._words: list[str] = []
        self.feed(source)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        self._check_names()
        self.text = _SPACE.sub(" ", "".join(self._words))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes something else (line {self.getpos()[0]})")

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def all(self, attribute: str) -> list[str]:
        """The attribute's values, wherever it stands."""
        return [found[attribute] for _, found in self.tags if attribute in found]

    def _check_names(self) -> None:
        names = self.all("id")
        self.problems += [f"id {name} twice" for name in set(names) if names.count(name) > 1]
        wanted = [*self.all("aria-labelledby"), *self.all("for")]
        wanted += [link[1:] for link in self.all("href") if link.startswith("#")]
        self.problems += [f"nothing has id {name}" for name in wanted if name not in names]
