"""Does to requests what its input says, each at its moment: `python -m tests.system.races.other_process`.

A line is JSON: [act, arguments, at]. It answers each with a line: ["done", what] or ["refused", the words].
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

django.setup()

from approvals.external_flow import APPROVAL  # noqa: E402 - Django first
from approvals.requests import withdraw  # noqa: E402
from approvals.requests.state.reconcile import reconcile  # noqa: E402
from foundation.errors import ZenError  # noqa: E402
from tests.system.contract.cast import says  # noqa: E402
from tests.system.contract.sagas import ADA  # noqa: E402

ACTS: dict[str, Callable[..., Any]] = {
    "says": lambda who, word, request: says(who, word, request).status,
    "withdraw": lambda request: withdraw(request_id=request, actor=ADA).status,
    "timer": lambda run_pk, at: APPROVAL.on_timer(run_pk, datetime.fromisoformat(at)).ended,
    "reconcile": reconcile,
}


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        act, arguments, at = json.loads(line)
        time.sleep(max(0.0, at - time.time()))
        try:
            print(json.dumps(["done", ACTS[act](*arguments)]), flush=True)
        except ZenError as refusal:
            print(json.dumps(["refused", str(refusal)]), flush=True)


if __name__ == "__main__":
    main()
