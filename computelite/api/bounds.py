"""Bounds on what a token may do, whatever its roles are: an application credential's access rules.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Sequence

from computelite.api.errors import NotAuthenticated
from computelite.identity.caller import Caller


def check_access_rules(caller: Caller, service: str, method: str, path: Sequence[str]) -> None:
    """Return if the token may be used for a request to a service, by the catalog's type of it.

    A rule's path may begin with the service's own part of the path, `path[0]`, or leave it out.
    Raises:  NotAuthenticated where the access rules of an application credential do not name it.
    """
    credential = caller.credential
    if credential is None or not credential.access_rules:
        return
    for rule in credential.access_rules:
        pattern = rule.path.strip("/").split("/")
        if (rule.service, rule.method.upper()) == (service, method) and (
            _fits(pattern, path[1:]) or _fits(pattern, path)
        ):
            return
    raise NotAuthenticated()


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
