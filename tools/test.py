"""`make test`: everything on SQLite, then what is marked `both_databases` again on PostgreSQL.

Arguments go to pytest and then there is one run only: make test ARGS="-k sweep -x"
"""

import contextlib
import os
import subprocess
import sys

from tests.servers import report, time_skipping
from zen_project.embedded import postgres

NOTHING_COLLECTED = 5
PYTEST = [sys.executable, "-m", "pytest"]
PROCESSES = (os.cpu_count() or 1) + 1  # one more than cores: much of the time a test waits for what it has started
SIDE_BY_SIDE = [*PYTEST, "-n", str(PROCESSES), "--dist", "loadfile"]


def main(arguments: list[str]) -> int:
    if arguments:
        return subprocess.run([*PYTEST, *arguments], check=False).returncode
    with contextlib.suppress(time_skipping.Missing):
        time_skipping.program()  # fetched here, so that no test's time limit pays for it
    print("Servers in this run:", *report.lines(), sep="\n  ", flush=True)
    code = subprocess.run(SIDE_BY_SIDE, check=False).returncode
    return code or on_postgres()


def on_postgres() -> int:
    found = postgres.available()
    if found.path is None and "ZEN_TEST_POSTGRES_URL" not in os.environ:
        print(f"NOT RUN on PostgreSQL: {found.how}")
        return int(os.environ.get("CI") == "true")
    print("== again on PostgreSQL", flush=True)
    environ = os.environ | {"ZEN_TEST_DATABASE": "postgres"}
    code = subprocess.run([*SIDE_BY_SIDE, "-m", "both_databases"], env=environ, check=False).returncode
    return 0 if code == NOTHING_COLLECTED else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
