"""Every link of the pages leads to a file and, where it names one, to a heading that is there. No server is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from documentation import PAGES, ROOT, tokens
from markdown_it.token import Token


def within(page: Path) -> Iterator[Token]:
    for token in tokens(page):
        yield from token.children or []


def links(page: Path) -> set[str]:
    """Where a page's links and pictures lead."""
    found = {token.attrs.get("href") or token.attrs.get("src") for token in within(page)}
    return {str(link) for link in found if link}


def anchors(page: Path) -> set[str]:
    """The names that a forge gives a page's headings."""
    names: set[str] = set()
    for number, token in enumerate(tokens(page)):
        if token.type == "heading_open":
            words = "".join(part.content for part in tokens(page)[number + 1].children or [])
            plain = name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            again = 0
            while name in names:
                again += 1
                name = f"{plain}-{again}"
            names.add(name)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            assert (parts.scheme, bool(parts.netloc)) == ("https", True), link
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if parts.fragment:
            assert parts.fragment in anchors(target), link


def test_every_page_is_in_the_index() -> None:
    index = {(ROOT / "docs" / link).resolve() for link in links(ROOT / "docs" / "README.md") if "://" not in link}
    assert {page for page in PAGES if page.parent.name == "docs"} - index == {ROOT / "docs" / "README.md"}


def test_a_heading_that_comes_twice_has_two_names() -> None:
    names = anchors(ROOT / "CHANGELOG.md")
    assert "unreleased-010" in names
    assert anchors(ROOT / "docs" / "security.md") >= {"what-is-promised", "what-is-not-promised"}
