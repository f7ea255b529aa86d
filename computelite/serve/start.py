"""`serve`, in order: lock, ports, record, first start, then the supervisor with its children.

Everything is imported here, before the first fork, so that all processes share its memory; nothing
that a fork would break (loops, threads, database connections, devices) is opened in this process.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
from functools import partial

from computelite.config import Config
from computelite.credentials import Chosen
from computelite.first_start import prepare, settle_record
from computelite.folder import Folder, check_folder, lock_folder, make_folder, new_record
from computelite.new_devices import check_new_devices
from computelite.serve.child import run_loop
from computelite.serve.keeper import keep
from computelite.serve.listeners import Address, parse_address, tls_context
from computelite.serve.process import Child
from computelite.serve.requests import Requests
from computelite.serve.slots import Slots
from computelite.serve.supervisor import Role, Supervisor, say
from computelite.serve.worker import API_CONNECTIONS, Gate, work
from eventlog.clock import SystemClock, SystemIds

# What a worker holds open beside its clients: the log, the devices, their volumes and fragments.
_OWN_DESCRIPTORS = 1024


def serve(folder: Folder, config: Config, chosen: Chosen) -> int:
    """Run the cloud until SIGTERM or SIGINT; return the exit status.

    Raises:  WrongUsage and its like before anything was started.
    """
    clock, ids = SystemClock(), SystemIds()
    wanted = {
        "devices": config.storage.devices,
        "code": config.storage.code,
        "log": config.log.url,
    }
    # Whatever is wrong with the call is said before anything is made.
    asked = new_record(folder, cloud_id="", **wanted)
    parse_address(config.listen.s3, flag="--s3")
    parse_address(config.listen.api, flag="--api")
    cert, key = config.listen.tls_cert, config.listen.tls_key
    tls = tls_context(cert, key) if cert else None
    _allow_descriptors(config.http.connections + API_CONNECTIONS + _OWN_DESCRIPTORS)
    if folder.record.exists():
        make_folder(folder)
        lock_folder(folder, clock)
        s3, api = _listen(config)
    else:  # a first start that is refused leaves nothing behind
        check_folder(folder)
        check_new_devices(folder, asked)
        s3, api = _listen(config)
        make_folder(folder)
        lock_folder(folder, clock)
    scheme = "https" if tls else "http"
    record = settle_record(folder, **wanted, ids=ids)
    urls = {"s3": s3.url(scheme), "api": api.url(scheme)}
    gc.collect()
    gc.freeze()

    first = Child(
        "start",
        lambda ready: run_loop(
            "start", partial(prepare, folder, record, chosen=chosen, **urls, clock=clock, ids=ids)
        ),
    )
    if status := os.waitstatus_to_exitcode(os.waitpid(first.pid, 0)[1]):
        return max(status, 1)
    first.forget()

    count = config.processes.workers or len(os.sched_getaffinity(0))
    slots = Slots(count, config.http.connections)
    requests = Requests(count)
    gate = Gate(
        folder=folder, config=config, s3=s3, api=api, tls=tls, slots=slots, requests=requests
    )
    workers = [_worker(gate, number) for number in range(count)]
    keeper = Role("keeper", lambda ready: run_loop("keeper", partial(keep, folder, config, ready)))

    def announce() -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens; the cloud serves all the same
            print(f"ready s3={urls['s3']} api={urls['api']}", flush=True)

    def give_ports_back() -> None:
        s3.close()
        api.close()
        say("stopping: no new connections; requests in flight may end")

    return Supervisor(
        workers=workers,
        keeper=keeper,
        on_ready=announce,
        on_drain=give_ports_back,
        drain_s=config.processes.drain_s,
    ).run()


def _listen(config: Config) -> tuple[Address, Address]:
    """Take both ports.

    Raises:  WrongUsage that names the flag to change.
    """
    s3 = Address(config.listen.s3, flag="--s3")
    api = Address(config.listen.api, flag="--api", beside=s3)
    return s3, api


def _allow_descriptors(needed: int) -> None:
    """Raise the limit of open files: the usual 1024 end before the connections that are allowed.

    A worker without descriptors can neither refuse a client nor write what others send.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
    if hard < needed:
        say(f"only {hard} files may be open (ulimit -Hn); http.connections needs up to {needed}")


def _worker(gate: Gate, number: int) -> Role:
    name = f"w{number + 1}"
    return Role(
        name,
        lambda ready: run_loop(name, partial(work, gate, number, ready)),
        on_death=partial(gate.slots.worker_died, number),
    )
