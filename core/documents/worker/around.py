"""What stands around a web page's own text: menus, banners, search boxes, feet, questions about cookies.

Rules: where a page says which part is its own (`main`, or the role), what is outside of that stands around it, but not a title that has no other
place. Else it is what is marked as a menu, a banner or a foot, by its element, its role, or by its class where most of its text is links; a
header with a title is text, and so is what belongs to an article or a section. Questions about cookies are told by their class everywhere. A page
of which next to nothing would be left is all text.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

ROLES: Final = frozenset(
    "navigation banner contentinfo search menu menubar complementary dialog alertdialog toolbar".split()
)
INNER_ROLES: Final = frozenset("navigation search menu menubar dialog alertdialog toolbar".split())
"""Of what isn't text within a page's own part either."""
FEET: Final = ("header", "footer", "aside")
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


NOTHING: Final = Around(frozenset(), frozenset())


def around(root: Any) -> Around:
    """What of a page is its own text, and what isn't."""
    told = frozenset(element for element in root.iter("main", "div", "section", "article") if _is_main(element))
    main = [element for element in told if not any(above in told for above in element.iterancestors())]
    main = [element for element in main if _letters(element) >= LEAST]
    beside = [element for element in root.iter() if isinstance(element.tag, str) and _is_beside(element, bool(main))]
    found = Around(
        frozenset(main), frozenset(beside), bool(main) and not any(one.find(".//h1") is not None for one in main)
    )
    left = sum(_letters(one) for one in main) if main else _letters(root)
    outer = [one for one in beside if not any(above in found.beside for above in one.iterancestors())]
    inner = [one for one in outer if not main or any(above in found.main for above in one.iterancestors())]
    left -= sum(_letters(one) for one in inner)
    if left < LEAST and left < LEAST_SHARE * _letters(root):
        return NOTHING
    return found


def _is_main(element: Any) -> bool:
    return bool(element.tag == "main" or element.get("role", "").lower() == "main")


def _is_beside(element: Any, told: bool) -> bool:
    """Whether an element is no text of the page itself; `told`: whether the page says what is."""
    named = f"{element.get('id', '')} {element.get('class', '')}"
    if element.tag in ("body", "html", "head", "main", "article"):
        return False
    if _COOKIES.search(named) and _letters(element) <= LONGEST_QUESTION:
        return True
    role = element.get("role", "").lower()
    if element.tag == "nav" or role in INNER_ROLES:
        return True
    if element.tag in ("div", "ul", "ol", "section", "aside", "p") and _MENU.search(named) and _linked(element):
        return True
    if told:
        return False  # a foot or a header within a page's own part belongs to it
    if any(above.tag in ("article", "section", "blockquote", "figure", "td") for above in element.iterancestors()):
        return False
    if role in ROLES or element.tag in FEET:
        return element.find(".//h1") is None and element.find(".//article") is None
    return False


def _letters(element: Any) -> int:
    return sum(1 for piece in element.itertext() for letter in piece if letter.isalnum())


def _linked(element: Any) -> bool:
    """Whether most letters of an element are in links."""
    links = sum(_letters(link) for link in element.iter("a"))
    return links >= LINKED * max(_letters(element), 1)
