"""Access: every action by every kind of principal; what is not allowed here is refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.access import Action, decide, is_listed
from swiftlite.auth import ANONYMOUS, Link, Principal
from swiftlite.catalog.rows import Bucket


def bucket(name: str, project: str = "p", *, read: str = "", write: str = "") -> Bucket:
    settings = {"read-acl": read, "write-acl": write}
    settings = {key: value for key, value in settings.items() if value}
    return Bucket(name.encode(), project, name, "owner", 0, "r", settings=settings)


MINE = bucket("mine")
OTHER = bucket("other")
FOREIGN = bucket("foreign", "q")


def user(**facts: object) -> Principal:
    known = {
        "kind": "user",
        "user_id": "me",
        "user_name": "ann",
        "user_domain_id": "default",
        "project_id": "p",
        "project_name": "sales",
        "project_domain_id": "default",
        "roles": ("member",),
    }
    return Principal(**(known | facts))  # type: ignore[arg-type]


ALL = set(Action)
READING = {
    Action.LIST_BUCKETS,
    Action.READ_BUCKET,
    Action.LIST,
    Action.LIST_VERSIONS,
    Action.READ,
    Action.READ_VERSION,
}

PRINCIPALS = {
    "anonymous": (ANONYMOUS, set()),
    "anonymous with roles": (Principal(kind="anonymous", roles=("admin",), project_id="p"), set()),
    "of an unknown kind": (user(kind="root"), set()),
    "a link without a link": (Principal(kind="link", project_id="p", roles=("admin",)), set()),
    "no role": (user(roles=()), set()),
    "unknown role": (user(roles=("root", "", "service")), set()),
    "a role in capitals": (user(roles=("ADMIN",)), set()),
    "no project": (user(project_id="", roles=("admin", "reselleradmin")), set()),
    "reader": (user(roles=("reader",)), READING),
    "member": (user(), ALL),
    "manager": (user(roles=("manager",)), ALL),
    "admin": (user(roles=("admin",)), ALL),
    "reseller": (user(roles=("reselleradmin",)), ALL),
    "reader and member": (user(roles=("reader", "member")), ALL),
    "read-only key": (user(read_only=True), READING),
    "read-only key of an admin": (user(roles=("admin",), read_only=True), READING),
    "read-only key of a reseller": (user(roles=("reselleradmin",), read_only=True), READING),
    "key for the bucket": (user(bucket="mine"), ALL),
    "read-only key for the bucket": (user(bucket="mine", read_only=True), READING),
    "key for another bucket": (user(bucket="other"), {Action.LIST_BUCKETS}),
}
RESELLERS = {name for name in PRINCIPALS if "reseller" in name}


@pytest.mark.parametrize("name", PRINCIPALS)
@pytest.mark.parametrize("action", Action)
def test_who_may_do_what_to_a_bucket_of_the_project(name: str, action: Action) -> None:
    principal, allowed = PRINCIPALS[name]
    # By its name alone, with its row; as S3 asks, and as Swift asks, whose path names the account.
    for row, account in itertools.product((None, MINE), (None, "p")):
        decision = decide(principal, action, bucket_name="mine", bucket=row, account=account)
        assert decision.allowed == (action in allowed), decision


@pytest.mark.parametrize("name", sorted(PRINCIPALS.keys() - RESELLERS))
@pytest.mark.parametrize("action", Action)
def test_nobody_reaches_another_projects_bucket(name: str, action: Action) -> None:
    principal, _ = PRINCIPALS[name]
    for row, account in ((FOREIGN, None), (FOREIGN, "q"), (None, "q"), (FOREIGN, "p")):
        decision = decide(principal, action, bucket_name="foreign", bucket=row, account=account)
        assert not decision.allowed, decision


@pytest.mark.parametrize("name", PRINCIPALS)
@pytest.mark.parametrize("action", Action)
def test_a_reseller_reaches_every_account(name: str, action: Action) -> None:
    principal, allowed = PRINCIPALS[name]
    decision = decide(principal, action, bucket_name="foreign", bucket=FOREIGN, account="q")
    assert decision.allowed == (name in RESELLERS and action in allowed)


def test_a_key_for_a_bucket_is_held_to_the_row_and_not_to_what_the_request_says() -> None:
    principal = user(bucket="mine")
    assert not decide(principal, Action.READ, bucket_name="mine", bucket=OTHER).allowed
    assert not decide(principal, Action.WRITE, bucket_name="mine", bucket=FOREIGN).allowed


def test_a_key_for_a_bucket_does_not_follow_its_name_into_another_project() -> None:
    taken = bucket("mine", "q", read="*:*", write="*:*")
    for action in (Action.READ, Action.WRITE, Action.LIST):
        assert decide(user(), action, bucket_name="mine", bucket=taken).allowed
        held = decide(user(bucket="mine"), action, bucket_name="mine", bucket=taken)
        assert not held.allowed
        assert held.rule == "key-bucket"


def test_a_refusal_tells_who_has_no_role_nothing_of_what_there_is() -> None:
    stranger = user(roles=())
    there = decide(stranger, Action.READ, bucket_name="foreign", bucket=FOREIGN)
    not_there = decide(stranger, Action.READ, bucket_name="foreign", bucket=None)
    assert there == not_there
    public = bucket("foreign", "q", read=".r:friend.com")
    assert decide(ANONYMOUS, Action.READ, bucket=public) == decide(ANONYMOUS, Action.READ)


def test_only_those_who_may_change_everything_are_owners() -> None:
    assert decide(user(), Action.READ, bucket=MINE).is_owner
    assert not decide(user(roles=("reader",)), Action.READ, bucket=MINE).is_owner
    shared = bucket("shared", "q", read="*:*")
    assert not decide(user(), Action.READ, bucket=shared).is_owner


# -- ACLs ------------------------------------------------------------------------------------------

READ_GIVES, WRITE_GIVES = {Action.LIST, Action.READ}, {Action.WRITE}


@pytest.mark.parametrize("action", Action)
def test_what_acls_give_to_a_user_of_another_project(action: Action) -> None:
    readable = bucket("b", "q", read="p:me")
    writable = bucket("b", "q", write="p:me")
    both = bucket("b", "q", read="sales:ann", write="sales:ann")
    for account in (None, "q"):
        for row, gives in (
            (readable, READ_GIVES), (writable, WRITE_GIVES), (both, READ_GIVES | WRITE_GIVES)
        ):  # fmt: skip
            decision = decide(user(), action, bucket_name="b", bucket=row, account=account)
            assert decision.allowed == (action in gives)
            assert not decision.is_owner
            # a right that was given needs no role at home
            plain = decide(user(roles=()), action, bucket_name="b", bucket=row, account=account)
            assert plain.allowed == (action in gives)
            held = decide(user(read_only=True), action, bucket_name="b", bucket=row)
            assert held.allowed == (action in gives - WRITE_GIVES)
            for other in (user(user_id="x", user_name="x"), user(project_id="", roles=())):
                assert not decide(other, action, bucket_name="b", bucket=row).allowed


@pytest.mark.parametrize("action", Action)
def test_what_an_acl_gives_to_everyone(action: Action) -> None:
    read = bucket("b", "q", read=".r:*")
    listed = bucket("b", "q", read=".r:*,.rlistings")
    only_listed = bucket("b", "q", read=".rlistings")
    for who in (ANONYMOUS, user(), user(roles=()), user(project_id="")):
        assert decide(who, action, bucket=read).allowed == (action is Action.READ)
        assert decide(who, action, bucket=listed).allowed == (action in READ_GIVES)
        assert not decide(who, action, bucket=only_listed).allowed


def test_everyone_never_writes() -> None:
    row = bucket("b", "q", write=".r:*,.rlistings")  # cleaning refuses such a text
    assert not decide(ANONYMOUS, Action.WRITE, bucket=row).allowed


def test_an_acl_of_pages_asks_where_the_request_comes_from() -> None:
    row = bucket("b", "q", read=".r:friend.com")
    good, bad = "https://friend.com/page", "https://friend.com.bad.org/"
    assert decide(ANONYMOUS, Action.READ, bucket=row, referrer=good).allowed
    assert not decide(ANONYMOUS, Action.READ, bucket=row, referrer=bad).allowed
    assert not decide(ANONYMOUS, Action.READ, bucket=row).allowed


def test_a_role_in_an_acl_is_one_in_the_buckets_own_project() -> None:
    ours, theirs = bucket("b", "p", read="auditor"), bucket("b", "q", read="auditor")
    auditor = user(roles=("auditor",))
    assert decide(auditor, Action.READ, bucket=ours).rule == "acl auditor"
    assert decide(auditor, Action.LIST, bucket=ours).allowed
    assert not decide(auditor, Action.WRITE, bucket=ours).allowed
    assert not decide(auditor, Action.READ_BUCKET, bucket=ours).allowed
    assert not decide(auditor, Action.READ, bucket=theirs).allowed


# -- links -----------------------------------------------------------------------------------------


def link(**facts: object) -> Principal:
    known = {"methods": ("GET", "HEAD"), "account": "p", "container": "mine", "key": "a/b"}
    return Principal(kind="link", link=Link(**(known | facts)))  # type: ignore[arg-type]


@pytest.mark.parametrize("action", Action)
def test_a_link_reaches_its_object_and_nothing_else(action: Action) -> None:
    def asks(who: Principal, key: str = "a/b", method: str = "GET", **other: str) -> bool:
        path = {"bucket_name": "mine", "account": "p"} | other
        rows = (None, bucket(path["bucket_name"], path["account"]))
        found = {
            decide(who, action, bucket=b, key=key, method=method, **path).allowed for b in rows
        }
        assert len(found) == 1
        return found.pop()

    may = action in (Action.READ, Action.WRITE)
    assert asks(link()) == may
    assert not asks(link(), "a/c")
    assert not asks(link(), "a/b/")
    assert not asks(link(), "")
    assert not asks(link(key=""), "")
    assert not asks(link(), method="PUT")
    assert not asks(link(), method="")
    assert not asks(link(), bucket_name="other")
    assert not asks(link(), account="q")
    assert not asks(link(), account="")
    assert asks(link(prefix="a/")) == may
    assert asks(link(prefix="a/"), "a/../x") == may  # a key, which nothing resolves
    assert not asks(link(prefix="a/"), "ab")
    assert asks(link(prefix=""), "anything") == may


def test_a_link_to_upload_reads_nothing() -> None:
    path = {"bucket_name": "mine", "account": "p", "key": "a/b"}
    for methods in (("PUT",), ("POST",), ("DELETE",)):
        who = link(methods=methods, prefix="")
        assert decide(who, Action.WRITE, method=methods[0], **path).allowed  # type: ignore[arg-type]
        read = decide(who, Action.READ, method=methods[0], **path)  # type: ignore[arg-type]
        assert not read.allowed


def test_what_a_links_object_is_made_of_may_lie_where_its_key_reaches() -> None:
    def asks(who: Principal, action: Action, name: str, project: str = "p") -> bool:
        row = bucket(name, project)
        return decide(who, action, bucket_name=name, bucket=row, is_behind=True).allowed

    anywhere, here = link(within=""), link(within="mine")
    for action in Action:
        reads = action in (Action.READ, Action.LIST)
        assert asks(anywhere, action, "mine") == reads
        assert asks(anywhere, action, "segments") == reads
        assert asks(here, action, "mine") == reads
        assert not asks(here, action, "segments")
        assert not asks(anywhere, action, "mine", "q")
        assert not asks(link(methods=("PUT",)), action, "mine")
    assert not decide(anywhere, Action.READ, bucket_name="mine", is_behind=True).allowed


# -- laws ------------------------------------------------------------------------------------------

_IDS = st.sampled_from(["p", "q", "r", ""])
_PRINCIPALS = st.builds(
    Principal,
    kind=st.sampled_from(["user", "anonymous", "link", "", "admin"]),
    user_id=st.sampled_from(["me", "you", ""]),
    user_name=st.sampled_from(["ann", "bob", ""]),
    user_domain_id=st.sampled_from(["default", "d2", ""]),
    project_id=_IDS,
    project_name=st.sampled_from(["sales", ""]),
    project_domain_id=st.sampled_from(["default", "d2", ""]),
    roles=st.lists(
        st.sampled_from(["reader", "member", "admin", "reselleradmin", "service", "auditor"]),
        max_size=3,
    ).map(tuple),
    bucket=st.sampled_from([None, None, "mine", "other"]),
    read_only=st.booleans(),
)
_ELEMENTS = st.sampled_from(
    ["p:me", "*:me", "p:*", "*:*", "sales:ann", "auditor", ".r:*", ".r:x.com", ".rlistings", ":"]
)
_ACLS = st.lists(_ELEMENTS, max_size=3).map(",".join)
_BUCKETS = st.builds(
    lambda name, project, read, write: bucket(name, project, read=read, write=write),
    st.sampled_from(["mine", "other"]),
    st.sampled_from(["p", "q"]),
    _ACLS,
    _ACLS,
)
_REFERRERS = st.sampled_from(["", "http://x.com/", "http://y.com/"])


@given(_PRINCIPALS, st.sampled_from(Action), _BUCKETS, _REFERRERS)
def test_the_same_principal_gets_the_same_answer_through_s3_and_through_swift(
    who: Principal, action: Action, row: Bucket, referrer: str
) -> None:
    s3 = decide(who, action, bucket_name=row.name, bucket=row, referrer=referrer)
    swift = decide(
        who,
        action,
        bucket_name=row.name,
        bucket=row,
        account=row.project_id,
        key="k",
        method="GET",
        referrer=referrer,
    )
    assert s3 == swift


@given(_PRINCIPALS, st.sampled_from(Action), _BUCKETS, _REFERRERS)
def test_without_a_role_an_acl_or_a_link_everything_is_refused(
    who: Principal, action: Action, row: Bucket, referrer: str
) -> None:
    decision = decide(who, action, bucket_name=row.name, bucket=row, referrer=referrer)
    assert decision.rule
    assert decision.reason
    if not decision.allowed:
        return
    if decision.rule.startswith("role "):
        assert who.kind == "user"
        assert who.project_id
        assert decision.rule.removeprefix("role ") in who.roles
        assert row.project_id == who.project_id or "reselleradmin" in who.roles
    else:
        given_by = row.settings["write-acl" if action is Action.WRITE else "read-acl"]
        assert decision.rule.removeprefix("acl ") in given_by.split(",")
        assert action in READ_GIVES | WRITE_GIVES
        assert who.kind in ("user", "anonymous")


@given(_PRINCIPALS, st.sampled_from(Action), _BUCKETS, _REFERRERS)
def test_narrowing_a_key_never_widens_it(
    who: Principal, action: Action, row: Bucket, referrer: str
) -> None:
    def allowed(**facts: object) -> bool:
        known = {name: getattr(who, name) for name in who.__struct_fields__}
        narrowed = Principal(**(known | facts))
        asked = {"bucket_name": row.name, "bucket": row, "referrer": referrer}
        return decide(narrowed, action, **asked).allowed

    widest = allowed(bucket=None, read_only=False)
    assert allowed() <= widest
    assert allowed(read_only=True) <= allowed(read_only=False)
    assert allowed(roles=()) <= allowed()


def test_a_listing_shows_what_the_key_is_for() -> None:
    assert is_listed(user(), MINE)
    assert not is_listed(user(), FOREIGN)
    assert is_listed(user(bucket="mine"), MINE)
    assert not is_listed(user(bucket="mine"), OTHER)
