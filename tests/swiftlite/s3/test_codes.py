"""Codes: every error there is has a row, and none of them tells of the inside."""

from __future__ import annotations

import importlib
import pkgutil
from xml.etree import ElementTree

import eventlog
import swiftlite
from eventlog.errors import CloudError, Corrupt, LogFailed, Refused, Unavailable
from swiftlite.errors import NoSuchKey
from swiftlite.s3.codes import INTERNAL, TABLE, code_of, error_document
from swiftlite.s3.errors import InvalidRange, NoSuchConfiguration, ProtocolRefused


def all_errors() -> set[type[CloudError]]:
    for package in (eventlog, swiftlite):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: set[type[CloudError]] = set()
    waiting = [CloudError]
    while waiting:
        cls = waiting.pop()
        if cls.__module__.partition(".")[0] in ("eventlog", "swiftlite"):
            found.add(cls)
        waiting += cls.__subclasses__()
    return found - {CloudError, Refused}


def test_every_error_has_a_row() -> None:
    told = ("swiftlite.errors", "swiftlite.s3.errors")
    errors = all_errors()
    assert len(errors) > len(TABLE) > 40
    for cls in errors:
        assert any(base in TABLE for base in cls.__mro__), cls
        if cls.__module__ in told and not issubclass(cls, Unavailable | Corrupt):
            assert cls in TABLE, f"{cls} is a client's, and has no row of its own"


def test_who_must_act_shows_in_the_status() -> None:
    for cls, code in TABLE.items():
        if issubclass(cls, Unavailable):
            assert code.status == 503, cls
        elif issubclass(cls, Corrupt) or cls is Refused:
            assert code.status == 500, cls
        else:
            assert 300 <= code.status < 500 or code.status == 501, cls


def test_an_error_becomes_a_document() -> None:
    error = NoSuchKey(key="a<b>&\x01")
    content = error_document(code_of(error), error, resource="/b/k", request_id="R", host_id="H")
    content = content.replace(b"&#x1;", b"")
    found = ElementTree.fromstring(content)
    assert found.tag == "Error"
    assert found.findtext("Code") == "NoSuchKey"
    assert found.findtext("Key") == "a<b>&"
    assert found.findtext("RequestId") == "R"
    assert found.findtext("HostId") == "H"


def test_a_failure_inside_tells_nothing_of_the_inside() -> None:
    error = LogFailed(reason="/srv/cumulog-data/log.db: disk I/O error")
    content = error_document(code_of(error), error, resource="/b", request_id="R", host_id="H")
    assert b"/srv" not in content
    content = error_document(INTERNAL, None, resource="/b", request_id="R", host_id="H")
    assert b"InternalError" in content


def test_some_errors_have_codes_of_their_own() -> None:
    assert code_of(NoSuchConfiguration(name="policy", code="NoSuchBucketPolicy")).name == (
        "NoSuchBucketPolicy"
    )
    assert code_of(InvalidRange(size=5)).status == 416
    assert code_of(ProtocolRefused()).status == 400
