"""A gateway worker: answers on both ports until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Callable
from functools import partial

import msgspec

from computelite.api.app import ApiApp, Service
from computelite.api.pages import Pages
from computelite.api.tempauth import TempAuth
from computelite.cloud import Cloud
from computelite.config import Config
from computelite.credentials import REGION_S3
from computelite.folder import Folder
from computelite.glance.app import GlanceApp
from computelite.keystone.app import KeystoneApp
from computelite.keystone.service import IdentityService
from computelite.serve.listeners import Address
from computelite.serve.records import open_records
from computelite.serve.requests import Requests
from computelite.serve.slots import Slots
from computelite.serve.stop import duty, wait_for_end
from eventlog.records.record import Records
from swiftlite.http.limits import CountedSlots, Limits
from swiftlite.http.server import HttpServer
from swiftlite.s3.app import S3App
from swiftlite.swift.app import SwiftApp
from swiftlite.swift.limits import Settings

API_CONNECTIONS = 1024  # of each worker


class Gate(msgspec.Struct, frozen=True):
    """What every worker of a cloud gets from the supervisor."""

    folder: Folder
    config: Config
    s3: Address
    api: Address
    tls: ssl.SSLContext | None
    slots: Slots
    requests: Requests


async def work(gate: Gate, number: int, say_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM, then drain.

    Raises:  what opening the cloud raises; LogFailed if the log fails.
    """
    http = gate.config.http
    limits = Limits(head_s=http.header_s, progress_s=http.body_s, idle_s=http.keepalive_s)
    async with (
        Cloud.open(gate.folder, gate.config) as cloud,
        duty("upkeep of devices", cloud.store.run()) as upkeep,
        open_records(cloud, f"w{number + 1}") as records,
    ):
        requests = gate.requests.row(number)
        storage = S3App(
            cloud.store.gateway,
            cloud.authenticator,
            clock=cloud.clock,
            ids=cloud.ids,
            region=REGION_S3,
            domains=gate.config.listen.domains,
            records=records,
            count=partial(requests.count, "s3"),
        )
        s3 = HttpServer(storage, limits=limits, slots=gate.slots.row(number))
        scheme = "https" if gate.tls else "http"
        pages = Pages(cloud, gate.slots, gate.requests, s3_url=gate.s3.url(scheme))
        api = HttpServer(
            ApiApp(
                pages,
                _services(cloud, gate.api.url(scheme), records),
                clock=cloud.clock,
                count=requests.count,
            ),
            limits=limits,
            slots=CountedSlots(API_CONNECTIONS),
        )
        await s3.listen(gate.s3.listen(), gate.tls)
        await api.listen(gate.api.listen(), gate.tls)
        gc.collect()
        gc.freeze()
        # Requests make garbage, but hardly any cycles: looking for those every 700 objects is work
        # for nothing.
        gc.set_threshold(50_000, 20, 20)
        say_ready()
        await wait_for_end(cloud.log, upkeep)
        patience_s = gate.config.processes.drain_s
        await asyncio.gather(s3.drain(patience_s), api.drain(patience_s))


def _services(cloud: Cloud, api_url: str, records: Records) -> dict[str, Service]:
    """Return what answers on the API port, by the first part of the path."""
    clock, ids, doors = cloud.clock, cloud.ids, cloud.doors
    identity = IdentityService(
        log=cloud.log,
        keystore=cloud.keystore,
        clock=clock,
        ids=ids,
        tokens=doors.callers,
        passwords=doors.passwords,
        login=doors.login,
        password_days=cloud.config.identity.password_days,
    )
    services: dict[str, Service] = {
        "identity": KeystoneApp(identity, api_url=api_url, records=records)
    }
    if cloud.config.identity.tempauth:
        services["auth"] = TempAuth(
            doors.login, api_url=api_url, clock=clock, ids=ids, records=records
        )
    services["image"] = GlanceApp(cloud.images, doors.callers, api_url=api_url, records=records)
    swift = SwiftApp(
        cloud.store.gateway,
        cloud.authenticator,
        sealer=cloud.keystore,
        clock=clock,
        ids=ids,
        settings=Settings(region=REGION_S3),
        records=records,
    )
    services["v1"] = services["info"] = swift
    return services
