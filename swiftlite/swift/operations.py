"""Operations: what each request asks for, what right it needs, and who answers it.

`FEATURES` come first, in their order: what a parameter or header makes of a request. The rest is
told by the method, and by whether the path names an account, a container or an object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from swiftlite.access import Action
from swiftlite.http.replies import Reply
from swiftlite.swift import (
    accounts,
    bulk_delete,
    containers,
    copying,
    extraction,
    links,
    objects,
    slo,
    symlinks,
    version_listing,
    versions,
)
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.request import Request

Handler = Callable[[Call], Awaitable[Reply]]


class Operation(NamedTuple):
    """What a request asks for. `makes`: the container need not be there.

    Without an `action` it is about many things, and the handler has each decided.
    """

    name: str
    action: Action | None
    handler: Handler
    makes: bool = False


class Feature(NamedTuple):
    """An operation, and the requests that ask for it."""

    asks: Callable[[Request], bool]
    operation: Operation


def _asks_manifest(method: str, value: str) -> Callable[[Request], bool]:
    def asks(request: Request) -> bool:
        named = request.query.get("multipart-manifest")
        return request.method == method and bool(request.name) and named == value

    return asks


def _asks_version(method: str) -> Callable[[Request], bool]:
    def asks(request: Request) -> bool:
        named = request.query.get("version-id")
        return request.method == method and bool(request.name) and bool(named)

    return asks


ACCOUNT: Mapping[str, Operation] = {
    "GET": Operation("get account", Action.LIST_BUCKETS, accounts.get_account),
    "HEAD": Operation("head account", Action.LIST_BUCKETS, accounts.head_account),
    "POST": Operation("post account", Action.CHANGE_ACCOUNT, accounts.post_account),
}
CONTAINER: Mapping[str, Operation] = {
    "GET": Operation("get container", Action.LIST, containers.get_container),
    "HEAD": Operation("head container", Action.LIST, containers.head_container),
    "PUT": Operation("put container", Action.CREATE_BUCKET, containers.put_container, makes=True),
    "POST": Operation("post container", Action.CHANGE_BUCKET, containers.post_container),
    "DELETE": Operation("delete container", Action.DELETE_BUCKET, containers.delete_container),
}
OBJECT: Mapping[str, Operation] = {
    "GET": Operation("get object", Action.READ, objects.get_object),
    "HEAD": Operation("head object", Action.READ, objects.head_object),
    "PUT": Operation("put object", Action.WRITE, objects.put_object),
    "POST": Operation("post object", Action.WRITE, objects.post_object),
    "DELETE": Operation("delete object", Action.WRITE, objects.delete_object),
    "COPY": Operation("copy object", Action.READ, copying.copy_object),
}

FEATURES: tuple[Feature, ...] = (
    Feature(
        lambda request: request.method in ("POST", "DELETE") and "bulk-delete" in request.query,
        Operation("bulk delete", None, bulk_delete.bulk_delete, makes=True),
    ),
    Feature(
        lambda request: request.method == "PUT" and "extract-archive" in request.query,
        Operation("extract archive", None, extraction.extract, makes=True),
    ),
    Feature(
        lambda request: (
            request.method == "GET"
            and bool(request.container and not request.name)
            and "versions" in request.query
        ),
        Operation("list versions", Action.LIST_VERSIONS, version_listing.list_versions),
    ),
    Feature(
        _asks_manifest("PUT", "put"), Operation("put manifest", Action.WRITE, slo.put_manifest)
    ),
    Feature(
        _asks_manifest("DELETE", "delete"),
        Operation("delete manifest", Action.WRITE, bulk_delete.delete_manifest),
    ),
    Feature(
        _asks_version("GET"), Operation("get version", Action.READ_VERSION, objects.get_object)
    ),
    Feature(
        _asks_version("HEAD"), Operation("head version", Action.READ_VERSION, objects.head_object)
    ),
    Feature(_asks_version("PUT"), Operation("put version", Action.WRITE, versions.put_version)),
    Feature(
        _asks_version("DELETE"),
        Operation("delete version", Action.DELETE_VERSION, versions.delete_version),
    ),
    Feature(
        lambda request: (
            request.method == "PUT" and bool(request.name) and links.LINK in request.headers
        ),
        Operation("put symlink", Action.WRITE, symlinks.put_link),
    ),
    Feature(
        lambda request: bool(
            request.method == "PUT" and request.name and request.headers.get("x-copy-from")
        ),
        # What stands in the way of reading the source is told first.
        Operation("put copy", Action.WRITE, copying.put_copy, makes=True),
    ),
)


def operation_of(request: Request) -> Operation:
    """Return what a request asks for.

    Raises:  Declined: 405, naming the methods that there are.
    """
    for feature in FEATURES:
        if feature.asks(request):
            return feature.operation
    found = table_of(request).get(request.method)
    if found is None:
        raise Declined(405, Allow=", ".join(methods_of(request)))
    return found


def table_of(request: Request) -> Mapping[str, Operation]:
    """Return the operations on what the path names."""
    if request.name:
        return OBJECT
    return CONTAINER if request.container else ACCOUNT


def methods_of(request: Request) -> list[str]:
    """Return the methods that what the path names can be asked with."""
    return [*table_of(request), "OPTIONS"]
