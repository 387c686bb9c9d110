"""What stands around a web page's own text: menus, banners, search boxes, feet, questions about cookies.

Rules: where a page says which part is its own (`main`, or the role), what is outside of that stands around it, but not a title that has no other
place. Else it is what is marked as a menu, a banner or a foot, by its element, its role, or by its class where most of its text is links; a
header with a title is text, and so is what belongs to an article or a section. Questions about cookies are told by their class everywhere. A page
of which next to nothing would be left is all text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import lxml.etree

ROLES: Final = frozenset(
    "navigation banner contentinfo search menu menubar complementary dialog alertdialog toolbar".split()
)
INNER_ROLES: Final = frozenset("navigation search menu menubar dialog alertdialog toolbar".split())
"""Of what isn't text within a page's own part either."""
FEET: Final = ("header", "footer", "aside")
PARTS: Final = ("article", "section", "blockquote", "figure", "td")
"""To which a head and a foot within them belong."""
LINKED: Final = 0.6
"""Share of letters in links, from which something called a menu is one."""
LEAST: Final = 200
"""Letters that are left of a page."""
LEAST_SHARE: Final = 0.1
LONGEST_QUESTION: Final = 4_000
"""Letters of a question about cookies."""

_COOKIES = re.compile(
    r"cookie-?_?(?:banner|consent|notice|bar|law|popup|modal|message|policy-?banner)|consent-?_?(?:banner|manager|popup|modal)|gdpr",
    re.IGNORECASE,
)
_MENU = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|sidebar|skip|pagination|pager|share|social)(?:$|[\s_-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Around:
    """The elements around a page's own text."""

    main: frozenset[Any]
    """Those that hold its own text; none where the page doesn't say."""
    beside: frozenset[Any]
    titled: bool = False
    """Whether a heading outside of its own part is the page's title."""


class _Count(NamedTuple):
    """What is in an element: letters, those of them in links, and whether it holds a title or an article."""

    letters: int
    linked: int
    titled: bool
    article: bool


NOTHING: Final = Around(frozenset(), frozenset())


def around(root: Any) -> Around:
    """What of a page is its own text, and what isn't."""
    counts = _counted(root)
    told = frozenset(element for element in root.iter("main", "div", "section", "article") if _is_main(element))
    main = [element for element in _outermost(root, told) if counts[element].letters >= LEAST]
    beside = frozenset(_beside(root, bool(main), counts))
    left = 0
    for one in main or [root]:
        left += counts[one].letters - sum(counts[inner].letters for inner in _outermost(one, beside))
    if left < LEAST and left < LEAST_SHARE * counts[root].letters:
        return NOTHING
    return Around(frozenset(main), beside, bool(main) and not any(counts[one].titled for one in main))


def _counted(root: Any) -> dict[Any, _Count]:
    """What is in each element, in one walk: a page may nest deeply."""
    counts: dict[Any, _Count] = {}
    for _, element in lxml.etree.iterwalk(root, events=("end",)):
        if not isinstance(element.tag, str):
            continue
        letters = _letters(element.text)
        linked, titled, article = 0, False, False
        for inner in element:
            letters += _letters(inner.tail)
            if isinstance(inner.tag, str):
                count = counts[inner]
                letters += count.letters
                linked += count.linked
                titled = titled or count.titled or inner.tag == "h1"
                article = article or count.article or inner.tag == "article"
        counts[element] = _Count(letters, letters if element.tag == "a" else linked, titled, article)
    return counts


def _outermost(root: Any, elements: frozenset[Any]) -> list[Any]:
    """Those that are in no other of them, in order."""
    found: list[Any] = []
    walk = lxml.etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if element in elements:
            found.append(element)
            walk.skip_subtree()
    return found


def _beside(root: Any, told: bool, counts: Mapping[Any, _Count]) -> Iterator[Any]:
    """The elements that are no text of the page itself; `told`: whether the page says what is."""
    inside = 0
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        if event == "start" and _is_beside(element, told or inside > 0, counts[element]):
            yield element
        inside += (element.tag in PARTS) * (1 if event == "start" else -1)


def _is_main(element: Any) -> bool:
    return bool(element.tag == "main" or element.get("role", "").lower() == "main")


def _is_beside(element: Any, within: bool, count: _Count) -> bool:
    """Whether an element is no text of the page itself; `within`: a foot or a header there belongs to a part of it."""
    named = f"{element.get('id', '')} {element.get('class', '')}"
    if element.tag in ("body", "html", "head", "main", "article"):
        return False
    if _COOKIES.search(named) and count.letters <= LONGEST_QUESTION:
        return True
    role = element.get("role", "").lower()
    if element.tag == "nav" or role in INNER_ROLES:
        return True
    menu = element.tag in ("div", "ul", "ol", "section", "aside", "p") and _MENU.search(named) is not None
    if menu and count.linked >= LINKED * max(count.letters, 1):
        return True
    if within:
        return False
    return (role in ROLES or element.tag in FEET) and not count.titled and not count.article


def _letters(text: str | None) -> int:
    return sum(map(str.isalnum, text)) if text else 0
