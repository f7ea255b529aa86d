"""The frame around every request to Keystone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from computelite.api.call import json_reply, no_content
from computelite.api.request import BODY_SIZE_MAX, Query
from computelite.api.routing import Route, Routes
from computelite.errors import NameTaken
from computelite.identity.caller import Caller, Named
from computelite.identity.login.login import Login
from computelite.identity.passwords import Passwords
from computelite.keystone.app import KeystoneApp
from computelite.keystone.call import Call
from computelite.keystone.errors import STATUSES
from computelite.keystone.routes import ROUTES
from computelite.keystone.service import IdentityService
from computelite.keystore import create_keystore, open_keystore
from eventlog.clock import SystemClock, SystemIds
from eventlog.errors import CloudError, LogFull
from eventlog.log import Log
from swiftlite.http.replies import Reply
from tests.computelite.edge import Body, Edge

IDS = SystemIds()
ALICE = Caller(
    user=Named(id="a11ce", name="alice"), user_domain=Named(id="default", name="Default")
)


class NewThing(msgspec.Struct):
    name: str
    enabled: bool = True
    parent_id: str | UnsetType | None = UNSET


class OneToken:
    async def caller(self, token: str) -> Caller | None:
        return ALICE if token == "good" else None

    async def known(self, text: str, *, late_s: int = 0) -> None:
        return None


async def create_thing(call: Call) -> Reply:
    thing = call.read("thing", NewThing)
    fields = {"name": thing.name, "extra": call.extras("thing", NewThing)}
    return call.member("thing", fields, "things", thing.name, status=201)


async def list_things(call: Call) -> Reply:
    return call.collection("things", [{"id": each} for each in call.query.all("tag")])


async def show_thing(call: Call) -> Reply:
    actor = call.actor
    facts = [call.params["thing_id"], call.operation, actor.id, actor.source, actor.request_id]
    return json_reply(facts)


async def show_special(call: Call) -> Reply:
    return no_content()


async def delete_thing(call: Call) -> Reply:
    if call.params["thing_id"] == "bug":
        raise RuntimeError("secret reason")
    if call.params["thing_id"] == "later":
        raise LogFull()
    raise NameTaken(kind="thing", name=call.params["thing_id"])


THINGS = (
    Route("POST", "/v3/things", create_thing, "create_thing"),
    Route("GET", "/v3/things", list_things, "list_things"),
    Route("GET", "/v3/things/{thing_id}", show_thing, "get_thing"),
    Route("GET", "/v3/things/special", show_special, "get_special"),
    Route("GET", "/v3/things/special/{x}/more", show_special, "get_special"),
    Route("GET", "/v3/things/{thing_id}/all/more", show_thing, "get_thing"),
    Route("DELETE", "/v3/things/{thing_id}", delete_thing, "delete_thing"),
)


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    create_keystore(tmp_path, IDS)
    service = IdentityService(
        log=cast(Log, None),
        keystore=open_keystore(tmp_path, IDS),
        clock=SystemClock(),
        ids=IDS,
        tokens=OneToken(),
        passwords=cast(Passwords, None),
        login=cast(Login, None),
    )
    routes = Routes([*ROUTES.rows, *THINGS])
    return Edge(KeystoneApp(service, api_url="http://127.0.0.1:9001", routes=routes), "/identity")


@pytest.mark.parametrize(("path", "status"), [("", 300), ("/", 300), ("/v3", 200), ("/v3/", 200)])
async def test_anyone_learns_which_versions_there_are(edge: Edge, path: str, status: int) -> None:
    for method in ("GET", "HEAD"):
        answer = await edge.send(method, path)
        assert answer.status == status
    found = answer.json["versions"]["values"][0] if status == 300 else answer.json["version"]
    assert (found["id"], found["status"]) == ("v3.14", "stable")
    assert found["links"] == [{"rel": "self", "href": "http://cloud.example:9001/identity/v3/"}]


async def test_links_name_the_host_and_scheme_that_the_client_uses(edge: Edge) -> None:
    for host, secure, base in (
        ("[::1]:9001", True, "https://[::1]:9001"),
        ("evil/..", False, "http://127.0.0.1:9001"),
        ('a"b', False, "http://127.0.0.1:9001"),
        ("", False, "http://127.0.0.1:9001"),
    ):
        answer = await edge.send("GET", "/v3", headers={"Host": host}, secure=secure)
        assert answer.json["version"]["links"][0]["href"] == f"{base}/identity/v3/"


async def test_every_reply_has_a_request_id_of_its_own_and_varies_by_token(edge: Edge) -> None:
    answers = [
        await edge.send("GET", "/v3", headers={"X-Openstack-Request-Id": "req-mine"}),
        await edge.send("GET", "/v3/things/x"),
        await edge.send("DELETE", "/v3/things/bug", token="good"),
    ]
    ids = {answer.headers["X-Openstack-Request-Id"] for answer in answers}
    assert len(ids) == 3
    assert all(len(each) == 40 and each.startswith("req-") and each != "req-mine" for each in ids)
    assert {answer.headers["Vary"] for answer in answers} == {"X-Auth-Token"}


@pytest.mark.parametrize("token", [None, "", "bad", "x" * 5000])
async def test_without_a_good_token_everything_else_is_401(edge: Edge, token: str | None) -> None:
    for method, path in (("GET", "/v3/things/x"), ("GET", "/v3/nowhere"), ("PUT", "/v3/things")):
        answer = await edge.send(method, path, token=token)
        assert answer.status == 401
        assert answer.json["error"]["title"] == "Unauthorized"
        assert answer.headers["WWW-Authenticate"] == (
            'Keystone uri="http://cloud.example:9001/identity"'
        )


async def test_headers_that_claim_an_identity_do_nothing(edge: Edge) -> None:
    claims = {
        "X-User-Id": "a11ce",
        "X-Roles": "admin",
        "X-Identity-Status": "Confirmed",
        "X-Is-Admin-Project": "True",
        "Remote-User": "admin",
        "X-Remote-User": "admin",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "203.0.113.1",
    }
    assert (await edge.send("GET", "/v3/things/x", headers=claims)).status == 401
    answer = await edge.send("GET", "/v3/things/x", token="good", headers=claims)
    assert answer.json[:4] == ["x", "get_thing", "a11ce", "192.0.2.7"]
    version = await edge.send("GET", "/v3", headers=claims)
    assert "http://cloud.example:9001/" in version.text


async def test_a_handler_is_found_by_method_and_path(edge: Edge) -> None:
    for path, status in (
        ("/v3/things/special", 204),
        ("/v3/things/special/", 204),
        ("/v3/things/special/1/more", 204),
        ("/v3/things/special/all/more", 204),
        ("/v3/things/other/all/more", 200),
        ("/v3/things/%7B%7D/all/more", 200),
        ("/v3/things/a/b", 404),
        ("/v3//things", 404),
        ("/v3/things//all/more", 404),
        ("/v4", 404),
    ):
        assert (await edge.send("GET", path, token="good")).status == status, path


async def test_parameters_are_decoded_once(edge: Edge) -> None:
    answer = await edge.send("GET", "/v3/things/a%2Fb%2520c%C3%A9", token="good")
    assert answer.json[0] == "a/b%20cé"
    for broken in ("%zz", "%", "%FF"):
        assert (await edge.send("GET", f"/v3/things/{broken}", token="good")).status == 404
        assert (await edge.send("GET", f"/v3/things?tag={broken}", token="good")).status == 400


async def test_another_method_is_405_with_those_that_there_are(edge: Edge) -> None:
    answer = await edge.send("PUT", "/v3/things/special", token="good")
    assert (answer.status, answer.headers["Allow"]) == (405, "DELETE, GET")


async def test_a_member_is_linked_to_itself_and_a_collection_to_its_request(edge: Edge) -> None:
    made = await edge.send("POST", "/v3/things", {"thing": {"name": "a b", "z": 1}}, token="good")
    assert made.status == 201
    assert made.json["thing"] == {
        "name": "a b",
        "extra": {"z": 1},
        "links": {"self": "http://cloud.example:9001/identity/v3/things/a%20b"},
    }
    listed = await edge.send("GET", "/v3/things?tag=x&tag=y", token="good")
    assert [each["id"] for each in listed.json["things"]] == ["x", "y"]
    assert listed.json["links"] == {
        "self": "http://cloud.example:9001/identity/v3/things?tag=x&tag=y",
        "previous": None,
        "next": None,
    }


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "thing.name: it is required"),
        ({"thing": None}, "thing: Expected `object`, got `null`"),
        ({"thing": []}, "thing: Expected `object`, got `array`"),
        ({"thing": {"name": 3}}, "thing.name: Expected `str`, got `int`"),
        ({"thing": {"name": "x", "enabled": "False"}}, "thing.enabled: Expected `bool`"),
        ({"thing": {"name": "x", "parent_id": 1}}, "thing.parent_id: Expected `str | null`"),
    ],
)
async def test_a_field_of_the_wrong_type_is_named(edge: Edge, document: object, words: str) -> None:
    answer = await edge.send("POST", "/v3/things", document, token="good")
    assert answer.status == 400
    assert words in answer.message


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"nul", b"\xff", b'{"thing": "\xff"}', b"[" * 100_000, b'{"a":' * 9000],
)
async def test_a_body_that_is_no_json_object_is_400(edge: Edge, body: bytes) -> None:
    answer = await edge.send("POST", "/v3/things", body=body, token="good")
    assert answer.status == 400


async def test_a_body_of_another_type_is_400(edge: Edge) -> None:
    body = json.dumps({"thing": {"name": "x"}}).encode()
    for kind, status in (
        ("application/json; charset=utf-8", 201),
        ("Application/JSON", 201),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
    ):
        answer = await edge.send(
            "POST", "/v3/things", body=body, token="good", headers={"Content-Type": kind}
        )
        assert answer.status == status, kind


@pytest.mark.parametrize("tells", [True, False])
async def test_a_body_too_large_is_413_and_not_held(edge: Edge, tells: bool) -> None:
    body = Body(b" " * (BODY_SIZE_MAX * 3), tells=tells)
    answer = await edge.send("POST", "/v3/things", body=body, token="good")
    assert answer.status == 413
    assert await body.read(), "all of it was read"


async def test_an_error_has_its_own_status_and_a_bug_tells_nothing(edge: Edge) -> None:
    taken = await edge.send("DELETE", "/v3/things/x", token="good")
    assert (taken.status, taken.message) == (409, "The thing name x is taken.")
    later = await edge.send("DELETE", "/v3/things/later", token="good")
    assert (later.status, later.headers["Retry-After"]) == (503, "1")
    bug = await edge.send("DELETE", "/v3/things/bug", token="good")
    assert bug.status == 500
    assert "secret" not in bug.text


def test_flags_and_truths_of_a_query() -> None:
    query = Query("effective&names=0&enabled=False&on=1&name=a+b%2B")
    assert [query.flag(name) for name in ("effective", "names", "absent")] == [True, False, False]
    assert [query.truth(name) for name in ("enabled", "on", "absent")] == [False, True, None]
    assert query.get("name") == "a b+"
    with pytest.raises(CloudError, match="true or false"):
        query.truth("name")
    with pytest.raises(CloudError, match="at most"):
        Query("a=1&" * 65)


def test_every_error_has_a_status() -> None:
    waiting: list[type[CloudError]] = [CloudError]
    errors: set[type[CloudError]] = set()
    while waiting:
        cls = waiting.pop()
        errors.update(cls.__subclasses__())
        waiting += cls.__subclasses__()
    assert len(errors) > len(STATUSES.table)
    for cls in errors:
        assert any(base in STATUSES.table for base in cls.__mro__), cls
    assert STATUSES.of(LogFull()) == 503


def test_no_route_is_there_twice() -> None:
    with pytest.raises(AssertionError, match="twice"):
        Routes([THINGS[0], THINGS[0]])
