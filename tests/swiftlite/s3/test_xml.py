"""XML: hostile documents are refused, hostile names come out as what they are."""

from __future__ import annotations

import time
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.errors import Refused
from swiftlite.errors import InvalidArgument
from swiftlite.s3 import documents
from swiftlite.s3.errors import MalformedXML
from swiftlite.s3.xml import document, leaf, parse, text, url_text

BILLION_LAUGHS = b"""<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Delete><Object><Key>&c;</Key></Object></Delete>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<Delete>",
        b"<Delete></Deleted>",
        b"<Other/>",
        b"<Delete/>trailing",
        b"<!DOCTYPE Delete><Delete/>",
        b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><Delete/>',
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>&x;</Delete>',
        BILLION_LAUGHS,
        b"<Delete>&unknown;</Delete>",
        b"<Delete>\xff</Delete>",
        b"<Delete>\x01</Delete>",
        b"<Delete>&#1;</Delete>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
        b"<a:Delete/>",
        b"<Delete>" + b"<x>" * 50_000 + b"</x>" * 50_000 + b"</Delete>",
        b"<Delete>" + b"<x/>" * 100_001 + b"</Delete>",
    ],
)
def test_a_document_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedXML):
        parse(content, "Delete")


def test_the_namespace_does_not_matter() -> None:
    for start in (b"<Delete>", b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'):
        root = parse(start + b"<Object><Key> a&lt;b </Key></Object></Delete>", "Delete")
        assert root.children[0].required("Key") == " a<b "


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=0x20)))
def test_text_comes_back_through_any_parser(value: str) -> None:
    value = "".join(c for c in value if c not in "\ufffe\uffff" and not "\x7f" <= c <= "\x9f")
    found = ElementTree.fromstring(document("R", leaf("K", value))).findtext("{*}K")
    assert found == value


def test_a_carriage_return_survives() -> None:
    found = ElementTree.fromstring(document("R", leaf("K", "a\rb\nc\td"))).findtext("{*}K")
    assert found == "a\rb\nc\td"


def test_control_characters_are_references_as_s3_writes_them() -> None:
    assert text('a\x01b\x0b<&>"') == "a&#x1;b&#xB;&lt;&amp;&gt;&quot;"
    assert text("\ufffe") == "&#xFFFE;"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_url_encoding_makes_any_key_safe(key: str) -> None:
    encoded = url_text(key)
    assert encoded.isascii()
    assert text(encoded) == encoded
    assert unquote(encoded) == key


def test_a_deletion_is_read() -> None:
    found, is_quiet = documents.deletion(
        b"<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object>"
        b"<Object><Key>b</Key><VersionId>null</VersionId></Object></Delete>"
    )
    assert [(one.key, one.version_id) for one in found] == [("a", None), ("b", "null")]
    assert is_quiet


@pytest.mark.parametrize(
    "content",
    [
        b"<Delete></Delete>",
        b"<Delete><Object></Object></Delete>",
        b"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        b"<Delete><Object><Key>a</Key><Size>5</Size></Object></Delete>",
        b"<Delete><Quiet>maybe</Quiet><Object><Key>a</Key></Object></Delete>",
        b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>",
    ],
)
def test_a_deletion_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedXML):
        documents.deletion(content)


@pytest.mark.parametrize("part", ["0", "10001", "1_", "０", "-1", "", "1.0", "9" * 5000])
def test_a_part_number_that_is_none_is_refused(part: str) -> None:
    content = f"""<CompleteMultipartUpload><Part><PartNumber>{part}</PartNumber>
    <ETag>x</ETag></Part></CompleteMultipartUpload>"""
    with pytest.raises(InvalidArgument):
        documents.completion(content.encode())


def test_ten_thousand_parts_are_read_quickly() -> None:
    part = "<Part><PartNumber>{}</PartNumber><ETag>&quot;{:032x}&quot;</ETag></Part>"
    parts = [part.format(n, n) for n in range(1, 10_001)]
    tag = "CompleteMultipartUpload"
    start = time.perf_counter()
    found = documents.completion(f"<{tag}>{''.join(parts)}</{tag}>".encode())
    assert len(found) == 10_000
    assert found[-1].etag == f"{10_000:032x}"
    assert time.perf_counter() - start < 5
    with pytest.raises(MalformedXML):
        documents.completion(f"<{tag}>{''.join([*parts, parts[0]])}</{tag}>".encode())


@pytest.mark.parametrize("status", ["enabled", "", "On", "Disabled"])
def test_a_versioning_status_that_is_none_is_refused(status: str) -> None:
    content = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
    with pytest.raises(MalformedXML):
        documents.versioning(content.encode())


def test_mfa_delete_is_refused() -> None:
    with pytest.raises(Refused):
        documents.versioning(
            b"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"
            b"</VersioningConfiguration>"
        )
