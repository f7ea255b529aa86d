"""`cumulog serve`: run a cloud until SIGTERM."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from computelite.cli.command import add_common, parser, run
from computelite.config import MAX_WORKERS, load_config
from computelite.errors import WrongUsage
from computelite.folder import Folder

EXAMPLES = """
cumulog serve
cumulog serve --data /srv/cumulog --s3 0.0.0.0:9000 --devices /mnt/a,/mnt/b,/mnt/c --code 2+1
cumulog serve --tls cert.pem,key.pem --config cumulog.toml
set -a; . cumulog-data/credentials.env; set +a    # then any S3 client
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    top = parser("serve", "Run a cloud. Prints one line, `ready ...`, when it answers.", EXAMPLES)
    top.add_argument("--s3", metavar="HOST:PORT", help="S3 (default 127.0.0.1:9000)")
    top.add_argument("--api", metavar="HOST:PORT", help="all else (default 127.0.0.1:9001)")
    top.add_argument(
        "--devices", metavar="N|DIR,DIR,...", help="first start: folders, one for each disk (6)"
    )
    top.add_argument("--code", metavar="K+M", help="first start: data and parity fragments (4+2)")
    top.add_argument("--workers", type=int, metavar="N", help="gateway processes (one per core)")
    top.add_argument("--config", type=Path, metavar="FILE", help="see `cumulog config`")
    top.add_argument("--tls", metavar="CERT,KEY", help="PEM files: serve both listeners over TLS")
    add_common(top)
    args = top.parse_args(argv)

    def work() -> int:
        cert, comma, key = (args.tls or "").partition(",")
        if args.tls and not (cert and comma and key):
            raise WrongUsage(reason=f"--tls {args.tls}: two files, CERT,KEY")
        flags = {
            "listen.s3": args.s3,
            "listen.api": args.api,
            "listen.tls_cert": cert or None,
            "listen.tls_key": key or None,
            "storage.devices": args.devices,
            "storage.code": args.code,
            "processes.workers": args.workers,
            "log.url": args.log,
        }
        if args.workers is not None and not 0 <= args.workers <= MAX_WORKERS:
            raise WrongUsage(
                reason=f"--workers {args.workers}: a number from 1 to {MAX_WORKERS},"
                " or 0 for one per core"
            )
        config = load_config(args.config, flags)
        # Imported here: a wrong flag is answered before the whole cloud is loaded.
        from computelite.credentials import Chosen
        from computelite.serve.start import serve

        return serve(Folder(args.data), config, Chosen.from_environment(os.environ))

    return run(args, work)
