"""A private PostgreSQL for tests and the benchmark. Production uses a server of its own, through DATABASE_URL."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from . import find
from .ports import free_port
from .process import OwnedServer, ServerFailed

USER = "zen"
# The files are thrown away with the test run; durability would only measure the disk.
SETTINGS = ("fsync=off", "max_connections=200", "timezone=UTC")


def available() -> find.Found:
    return find.find(
        "postgres",
        variable="ZEN_POSTGRES_BINARY",
        commands=("postgres",),
        wheel=find.inside("pgserver", "pginstall", "bin", "postgres") or _debian(),
        remedy="pip install pgserver==0.1.4 (Python up to 3.12), or install postgresql",
    )


def postgres(data_dir: Path, *, port: int | None = None, durable: bool = False) -> OwnedServer:
    """Ready when it returns; `.address` is postgres://zen@127.0.0.1:port/postgres. `durable` keeps fsync on."""
    found = available()
    if found.path is None:
        raise ServerFailed(f"There is no PostgreSQL here: {found.how}")
    port = port or free_port()
    cluster = data_dir / "postgres"
    programs = found.path.resolve().parent
    if not (cluster / "PG_VERSION").exists():
        _initialise(programs, cluster)
    options = [word for setting in SETTINGS[durable:] for word in ("-c", setting)]
    argv = [str(programs / "postgres"), "-D", str(cluster), "-h", "127.0.0.1", "-p", str(port), "-k", "", *options]
    server = OwnedServer(
        name="postgres",
        argv=[*_not_root(), *argv],
        log=data_dir / "logs" / "postgres.log",
        address=f"postgres://{USER}@127.0.0.1:{port}/postgres",
        stop_signal=signal.SIGINT,  # "fast": it does not wait for clients
    )
    return server.wait_until(lambda: _answers(port))


def _initialise(programs: Path, cluster: Path) -> None:
    cluster.mkdir(mode=0o700, parents=True)
    # Trust: programs that can reach this loopback port may use a database that holds test data only.
    argv = [str(programs / "initdb"), "-D", str(cluster), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    made = subprocess.run([*_not_root(), *argv], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(cluster)
        raise ServerFailed(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")


def _not_root() -> list[str]:
    """PostgreSQL refuses to run as root. In a user namespace root's files stay its own under another name."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def _answers(port: int) -> bool:
    import psycopg  # noqa: PLC0415 - an extra: only those who start a PostgreSQL need it

    try:
        with psycopg.connect(f"host=127.0.0.1 port={port} user={USER} dbname=postgres", connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _debian() -> Path | None:
    """Debian keeps the server off PATH: /usr/lib/postgresql/15/bin/postgres."""
    return max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
