"""A process that appends to a log or follows it, for the tests of several processes.

python -m tests.eventlog.worker append LOG NAME COUNT    prints each position that was placed
python -m tests.eventlog.worker follow LOG COUNT         prints each event it sees
python -m tests.eventlog.worker retry LOG NAME COUNT     appends with keys, from the beginning
"""

import asyncio
import sys

from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, Noted

CLIENTS = 8


async def append(path, name, count, keyed):
    log = await SqliteLog.open(path, views=[Counter()])
    todo = iter(range(count))

    async def client():
        for number in todo:
            key = f"{name}-{number}" if keyed else None
            events = [Noted(name=name, amount=1), Noted(name=f"{name}-{number}", amount=1)]
            placed = await log.append(f"worker/{name}", events, actor=Actor(id=name), key=key)
            print(number, placed.first, placed.last, flush=True)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    await log.close()


async def follow(path, count):
    log = await SqliteLog.open(path, read_only=True)
    async for rec in log.follow(after=0):
        print(rec.position, rec.stream, rec.version, flush=True)
        if rec.position >= count:
            break
    await log.close()


def main():
    verb, path, *rest = sys.argv[1:]
    if verb == "follow":
        asyncio.run(follow(path, int(rest[0])))
    else:
        asyncio.run(append(path, rest[0], int(rest[1]), keyed=verb == "retry"))


if __name__ == "__main__":
    main()
