"""What happens to domains, projects, users, groups, roles, secrets and the catalog.

Every id is a string of 32 hexadecimal digits, but for the domain `default` and for regions, whose
ids people choose. A field that is UNSET in a `...changed` event stays as it was.

Streams: `domain/<id>`, `project/<id>`, `group/<id>`, `role/<id>`, `service/<id>`, `endpoint/<id>`,
`endpoint-group/<id>`, `policy/<id>`; `user/<id>` holds a user, and what is theirs: keys,
application credentials, tokens, roles granted to them; `regions` and `limits` hold all of those.
Names, key ids and secrets (sealed) are in payloads, never in stream names.

Pure: no clock, no IO.
"""

from __future__ import annotations

from computelite.identity.events.actors import ACTOR_EVENTS
from computelite.identity.events.catalog import CATALOG_EVENTS
from computelite.identity.events.credentials import CREDENTIAL_EVENTS
from computelite.identity.events.limits import LIMIT_EVENTS
from computelite.identity.events.roles import ROLE_EVENTS
from eventlog.event import Event

IDENTITY_EVENTS: frozenset[type[Event]] = (
    ACTOR_EVENTS | CATALOG_EVENTS | CREDENTIAL_EVENTS | LIMIT_EVENTS | ROLE_EVENTS
)
