"""DBOS in a process of its own: the same runs, every step durable. Prints one JSON object."""

from __future__ import annotations

import json
import os
import sys
import time

from dbos import DBOS, DBOSConfig

from benchmarks.sampling import Sampler

THREADS = 4


@DBOS.step()
def trivial() -> dict[str, int]:
    return {"n": 1}


@DBOS.workflow()
def saga() -> int:
    return sum(trivial()["n"] for _ in range(3))


def main(url: str, runs: int, sampled: bool) -> None:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": url,
        "max_executor_threads": THREADS,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    sampler = Sampler(("dbos-executor-",))
    if sampled:
        sampler.start()
    began = time.perf_counter()
    handles = [DBOS.start_workflow(saga) for _ in range(runs)]
    assert all(handle.get_result() == 3 for handle in handles)
    figure = runs * 3 / (time.perf_counter() - began)
    print(json.dumps({"figure": figure, "shares": sampler.shares()}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), "sample" in sys.argv)
