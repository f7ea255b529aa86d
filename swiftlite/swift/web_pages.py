"""The pages of a static web site that are made, not stored: listings, and why there is none.

Everything that a client could choose is escaped: names, labels, style sheets.
Source: Swift's "Static Web" (2026-08).
Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from swiftlite.swift.request import is_true

_STYLE = """\
  <style type="text/css">
   h1 {font-size: 1em; font-weight: bold;}
   th {text-align: left; padding: 0px 1em 0px 1em;}
   td {padding: 0px 1em 0px 1em;}
   a {text-decoration: none;}
  </style>
"""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """How a container is served, from its metadata."""

    index: str = ""
    error: str = ""
    listings: bool = False
    has_listings: bool = False  # set at all, be it to false
    css: str = ""
    label: str = ""
    directory_type: str = "application/directory"

    @property
    def is_site(self) -> bool:
        """Whether anything but objects by their names is served."""
        return bool(self.index or self.has_listings)


class Entry(NamedTuple):
    """One object in a listing."""

    name: str
    size: int
    content_type: str
    modified_us: int


def site_of(meta: Mapping[str, str]) -> Site:
    """Return the site that a container's metadata (lower-case names) describes."""

    def value(name: str) -> str:
        return meta.get(name, "").strip()

    return Site(
        index=value("web-index"),
        error=value("web-error"),
        listings=is_true(value("web-listings")),
        has_listings=bool(value("web-listings")),
        css=value("web-listings-css"),
        label=value("web-listings-label"),
        directory_type=value("web-directory-type") or "application/directory",
    )


def label_of(site: Site, path: str) -> str:
    """Return what a page calls itself; `path` begins with /v1/."""
    if not site.label:
        return path
    return site.label + "/" + "/".join(path.split("/")[4:])


def listing_page(
    site: Site,
    *,
    label: str,
    prefix: str,
    folders: Iterable[str],
    entries: Iterable[Entry],
    query: str = "",
    top: str = "",
) -> bytes:
    """Return a page that lists what begins with `prefix`.

    `folders` and the entries' names are whole names. `query` is added to each link, so that what a
    TempURL with the prefix `top` allows can be followed.
    """
    ending = escape("?" + query) if query else ""
    rows = []
    if len(prefix) > len(top):
        rows.append(_row("parent", "item", f"../{ending}", "../", "&nbsp;", "&nbsp;"))
    for folder in folders:
        name = folder[len(prefix) :]
        rows.append(_row("", "item subdir", _link(name) + ending, name, "&nbsp;", "&nbsp;"))
    for entry in entries:
        name = entry.name[len(prefix) :]
        kinds = " ".join(f"type-{escape(k.lower())}" for k in entry.content_type.split("/"))
        at = f"{datetime.fromtimestamp(entry.modified_us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"
        rows.append(_row("", f"item {kinds}", _link(name) + ending, name, readable(entry.size), at))
    return _page(
        label,
        _sheet(site, prefix) or _STYLE,
        f'  <h1 id="title">Listing of {escape(label)}</h1>\n'
        '  <table id="listing">\n'
        '   <tr id="heading">\n'
        '    <th class="colname">Name</th>\n'
        '    <th class="colsize">Size</th>\n'
        '    <th class="coldate">Date</th>\n'
        "   </tr>\n" + "".join(rows) + "  </table>\n",
    )


def refusal_page(site: Site, *, label: str, prefix: str) -> bytes:
    """Return the page that says that there is no listing, and how its owner can have one."""
    body = (
        "  <h1>Web Listing Disabled</h1>\n"
        "   <p>The owner of this web site has disabled web listing.</p>\n"
        "   <p>If you are the owner of this web site, you can enable web listing by setting "
        "X-Container-Meta-Web-Listings.</p>\n"
    )
    if site.index:
        body += (
            "  <h1>Index File Not Found</h1>\n"
            "   <p>The owner of this web site has set <b>X-Container-Meta-Web-Index: "
            f"{escape(site.index)}</b>. However, this file is not found.</p>\n"
        )
    return _page(label, _sheet(site, prefix) or _STYLE, body)


def readable(size: int) -> str:
    """Return a size as people read it: 1048576 as `1Mi`."""
    if size < 1024:
        return str(size)
    units = iter("KMGTPE")
    unit, value = next(units), round(size / 1024)
    while value >= 1024:
        unit, value = next(units), round(value / 1024)
    return f"{value}{unit}i"


def _page(label: str, head: str, body: str) -> bytes:
    return (
        "<!DOCTYPE html>\n<html>\n <head>\n"
        f"  <title>Listing of {escape(label)}</title>\n{head}"
        f" </head>\n <body>\n{body} </body>\n</html>\n"
    ).encode()


def _row(id_: str, kind: str, link: str, name: str, size: str, date: str) -> str:
    named = f'id="{id_}" ' if id_ else ""
    return (
        f'   <tr {named}class="{kind}">\n'
        f'    <td class="colname"><a href="{link}">{escape(name)}</a></td>\n'
        f'    <td class="colsize">{size}</td>\n'
        f'    <td class="coldate">{date}</td>\n'
        "   </tr>\n"
    )


def _link(name: str) -> str:
    # A dot at a link's beginning would be resolved away: `..` is a name here.
    return "./" + quote(name).replace(".", "%2E")


def _sheet(site: Site, prefix: str) -> str:
    if not site.css:
        return ""
    if site.css.startswith(("/", "http://", "https://")):
        path = quote(site.css, ":/")
    else:
        path = "../" * prefix.count("/") + quote(site.css)
    return f'  <link rel="stylesheet" type="text/css" href="{path}" />\n'
