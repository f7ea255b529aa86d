"""Pages of static sites: nothing that a client chose is markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from swiftlite.swift.web_pages import (
    Entry,
    Site,
    label_of,
    listing_page,
    readable,
    refusal_page,
    site_of,
)

EVIL = '"><script>alert(1)</script>&\r\n'


class Tags(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_metadata_describes_the_site() -> None:
    assert site_of({}) == Site()
    assert not site_of({"web-error": "e.html"}).is_site
    assert site_of({"web-listings": "false"}).is_site
    site = site_of({"web-index": " i.html ", "web-listings": "TRUE", "web-directory-type": "d/t"})
    assert (site.index, site.listings, site.directory_type) == ("i.html", True, "d/t")


def test_a_listing_shows_folders_and_objects_below_its_prefix() -> None:
    page = listing_page(
        Site(),
        label="/v1/AUTH_p/c/d/",
        prefix="d/",
        folders=["d/sub/"],
        entries=[Entry("d/o n.txt", 2048, "text/plain", 1_700_000_000_000_000)],
    )
    found = Tags(page)
    assert found.links == ["../", "./sub/", "./o%20n%2Etxt"]
    for text in ("Listing of /v1/AUTH_p/c/d/", "o n.txt", "2Ki", "2023-11-14 22:13:20"):
        assert text in found.text


def test_at_the_top_there_is_no_way_up() -> None:
    top = listing_page(Site(), label="x", prefix="", folders=[], entries=[])
    assert Tags(top).links == []
    within = listing_page(
        Site(), label="x", prefix="a/", folders=["a/b/"], entries=[], query="s=1&p=a/", top="a/"
    )
    assert Tags(within).links == ["./b/?s=1&p=a/"]


@pytest.mark.parametrize("css", ["", EVIL, "/a.css", "https://h/a.css", "javascript:x"])
def test_what_clients_chose_is_text_and_never_markup(css: str) -> None:
    site = Site(index=EVIL, css=css, label=EVIL)
    label = label_of(site, f"/v1/a/c/{EVIL}")
    plain = Site()
    for evil, harmless in (
        (
            listing_page(
                site, label=label, prefix="", folders=[EVIL],
                entries=[Entry(EVIL, 1, EVIL, 0)], query=EVIL,
            ),
            listing_page(
                plain, label="l", prefix="", folders=["f"], entries=[Entry("n", 1, "t/p", 0)]
            ),
        ),
        (
            refusal_page(site, label=label, prefix=EVIL),
            refusal_page(Site(index="i"), label="l", prefix=""),
        ),
    ):  # fmt: skip
        tags = [tag for tag in Tags(evil).tags if tag not in ("link", "style")]
        assert tags == [tag for tag in Tags(harmless).tags if tag != "style"]
        assert not [link for link in Tags(evil).links if link.startswith("javascript:")]


def test_a_label_takes_the_place_of_the_account_and_container() -> None:
    assert label_of(Site(label="example.com"), "/v1/a/c/d/e") == "example.com/d/e"
    assert label_of(Site(), "/v1/a/c/d/e") == "/v1/a/c/d/e"


def test_style_sheets_are_found_from_every_depth() -> None:
    page = listing_page(Site(css="s.css"), label="x", prefix="a/b/", folders=[], entries=[])
    assert "../../s.css" in Tags(page).links


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0"), (1023, "1023"), (1024, "1Ki"), (1 << 20, "1Mi"), (5 << 30, "5Gi")]
)
def test_sizes_are_readable(size: int, shown: str) -> None:
    assert readable(size) == shown
