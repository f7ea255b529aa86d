"""Whom a name stands for: a user as they are called now, or as they once were.

People ask the log by names, and it knows ids only. A user who is gone keeps what they did.
"""

from __future__ import annotations

from computelite.errors import WrongUsage
from computelite.identity import rows
from computelite.identity.events.actors import (
    DEFAULT_DOMAIN,
    DomainChanged,
    DomainCreated,
    UserChanged,
    UserCreated,
)
from computelite.identity.keys import compared, domain_name_key, id_key, name_key
from computelite.identity.queries import every
from eventlog.log import Log


async def users_called(log: Log, text: str) -> frozenset[str]:
    """Return the ids of the users that `text` means: an id, `name` or `domain/name`.

    A name without a domain is looked for in the default one first. Where nobody is called so now,
    it is everybody who ever was; where nobody was, the text is the id of something else.
    Raises:  WrongUsage where users of several domains are called so.
    """
    if await log.get("user", id_key(text)) is not None:
        return frozenset({text})
    domain, slash, name = text.partition("/")
    if slash:
        for id_ in {domain, await _id(log, "domain_name", domain_name_key(domain))} - {""}:
            if found := await _id(log, "user_name", name_key(id_, name)):
                return frozenset({found})
    if found := await _id(log, "user_name", name_key(DEFAULT_DOMAIN, text)):
        return frozenset({found})
    elsewhere = {
        f"{one.name}/{text}": user
        async for one in every(log, "domain", rows.Domain)
        if (user := await _id(log, "user_name", name_key(one.id, text)))
    }
    if len(elsewhere) > 1:
        several = ", ".join(sorted(elsewhere))
        raise WrongUsage(reason=f"several users are called {text}: say {several}")
    return frozenset(elsewhere.values()) or await _once_called(log, text) or frozenset({text})


async def _id(log: Log, table: str, key: bytes) -> str:
    ref = await log.get(table, key)
    return ref.id if isinstance(ref, rows.Ref) else ""


async def _once_called(log: Log, text: str) -> frozenset[str]:
    """Return who was called so at some time, as the log tells."""
    domain_text, slash, name_text = text.partition("/")
    domains = {domain_text}  # the ids of those that were called so
    home: dict[str, str] = {}
    called: set[tuple[str, str]] = set()
    async for rec in log.read(types=(DomainCreated, DomainChanged, UserCreated, UserChanged)):
        match rec.event:
            case (
                DomainCreated(domain_id=id_, name=str(name))
                | DomainChanged(domain_id=id_, name=str(name))
            ):
                if compared(name) == compared(domain_text):
                    domains.add(id_)
            case UserCreated(user_id=id_, name=str(name), domain_id=domain):
                home[id_] = domain
                called.add((id_, compared(name)))
            case UserChanged(user_id=id_, name=str(name)):
                called.add((id_, compared(name)))
            case _:  # without a name, or erased
                pass
    return frozenset(
        id_
        for id_, name in called
        if name == compared(text)
        or (slash and name == compared(name_text) and home.get(id_) in domains)
    )
