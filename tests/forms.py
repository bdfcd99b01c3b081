"""Reads an HTML form as a browser would send it."""

from html.parser import HTMLParser

from django.http import QueryDict


class _Reader(HTMLParser):
    """Collects the names and values of the controls that a browser sends without a button."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and name and "disabled" not in given:
            is_box = given.get("type") == "checkbox"
            if not is_box or "checked" in given:
                self.sent.append((name, given.get("value") or ("on" if is_box else "")))
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option":
            self._options.append((given.get("value") or "", "selected" in given))
            self._text = "" if "value" in given else "option"
        elif tag == "textarea":
            self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data
        elif self._text == "option":
            self._options[-1] = (data, self._options[-1][1])
            self._text = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            chosen = [value for value, is_selected in self._options if is_selected]
            values = chosen or [value for value, _ in self._options[:1]]
            self.sent += [(self._select, value or "") for value in values[-1:]]
            self._select = None
        elif tag == "textarea" and self._area:
            self.sent.append((self._area, self._text))
            self._area = None


def posted(html: str) -> QueryDict:
    """Return what a browser sends for the controls of a page."""
    reader = _Reader()
    reader.feed(html)
    form = QueryDict(mutable=True)
    for name, value in reader.sent:
        form.appendlist(name, value)
    return form
