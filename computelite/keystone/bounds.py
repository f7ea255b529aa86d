"""Bounds on what a token may do at Keystone itself, whatever its roles are.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Sequence

from computelite.identity.caller import AccessRule, Caller
from computelite.keystone.errors import Forbidden, NotAuthenticated


def check_bounds(caller: Caller, method: str, segments: Sequence[str]) -> None:
    """Return if the token may be used for a request to this path, which begins with `v3`.

    Raises:  Forbidden for a token that was made from an access key, NotAuthenticated where the
             access rules of an application credential do not name the request.
    """
    if "ec2credential" in caller.methods:
        raise Forbidden(reason="A token made from an access key is not for Keystone itself.")
    credential = caller.credential
    if credential is None or not credential.access_rules:
        return
    if not any(_names(rule, method, segments) for rule in credential.access_rules):
        raise NotAuthenticated()


def _names(rule: AccessRule, method: str, path: Sequence[str]) -> bool:
    if rule.service != "identity" or rule.method.upper() != method:
        return False
    pattern = rule.path.strip("/").split("/")
    return _fits(pattern, path) or _fits(pattern, ["identity", *path])


def _fits(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a rule's path names this one: `*` and `{x}` are one segment, `**` any number."""
    reached = {0}  # how much of the path the pattern so far can stand for
    for part in pattern:
        if part == "**":
            reached = set(range(min(reached), len(path) + 1)) if reached else set()
        else:
            any_ = part == "*" or (part.startswith("{") and part.endswith("}"))
            reached = {at + 1 for at in reached if at < len(path) and (any_ or path[at] == part)}
    return len(path) in reached
