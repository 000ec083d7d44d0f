"""Whether a receipt is genuine: the checks of docs/reference/receipts.md, in the same order. Reads no rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from approvals.core.content import apply_edits
from approvals.evidence.audit_records import plan_hash
from foundation.audit import signing_key
from foundation.canonical_json import FORMS, JCS, OWN, canonical, sha256

KIND, LATEST = "zen approval receipt", JCS
"""The version of a receipt is the form of canonical JSON that its own hash is of."""
ROW = ("chain", "seq", "at", "actor", "door", "action", "note", "data", "prev_hash")
SEAL = ("number", "at", "rows", "chains", "moved", "digest", "prev_hash", "key_id")
VOTES = ("approval.approve", "approval.reject", "approval.request-changes", "approval.abstain")
VOTED = ("person", "on_behalf_of", "round", "stage", "edits", "answers", "strength")
ASKED = ("requester", "stage", "about", "step_id", "created_at")
ENDED = ("status", "words", "title", "decided_by", "decided_at")


def signed_bytes(known: str) -> bytes:
    """The message that is signed for a receipt with this hash."""
    return f"{KIND} {known}".encode()


def problems(receipt: Any, *, key: str = "") -> list[str]:
    """What is wrong with a receipt, a sentence each; [] for a genuine one.

    `key`: the public key (base64) that must have signed it; this site's if left out. Never raises, whatever it is
    given.
    """
    try:
        if receipt["kind"] != KIND or receipt["version"] not in FORMS:
            return [f"it is not a receipt of a version up to {LATEST}"]
        content = {name: value for name, value in receipt.items() if name not in ("hash", "signature")}
        known = sha256(FORMS[receipt["version"]](content))
        bears_it = signing_key.verify(signed_bytes(known), receipt["signature"], key=key)
        return [*([] if bears_it else ["the signature does not hold"]), *contradictions(content, key=key)]
    except (KeyError, TypeError, AttributeError, ValueError, IndexError):
        return ["it is not whole: something is missing, or of another kind"]


def contradictions(receipt: dict[str, Any], *, key: str = "") -> list[str]:
    """Where the parts of a receipt contradict each other, a sentence each."""
    parts = (_hashes, _chain, _asked, _said, _ended)
    return [*(fault for part in parts for fault in part(receipt)), *_sealed(receipt, key)]


def _hashes(receipt: dict[str, Any]) -> Iterator[str]:
    for one in receipt["rounds"]:
        if sha256(canonical(one["content"])) != one["content_hash"]:
            yield f"the content of round {one['round']} is not what its hash says"
    if sha256(canonical(receipt["policy"]["body"])) != receipt["policy"]["hash"]:
        yield "the policy is not what its hash says"
    if receipt["request"]["content_hash"] != receipt["rounds"][-1]["content_hash"]:
        yield "the request is about another content than its last round"


def _chain(receipt: dict[str, Any]) -> Iterator[str]:
    before = ""
    for number, row in enumerate(receipt["audit"], 1):
        in_place = (row["chain"], row["seq"], row["prev_hash"]) == (receipt["request"]["request_id"], number, before)
        if not in_place or _hash_of_row(row) != row["hash"]:
            yield f"row {number} of the audit is missing or was changed"
            return
        before = row["hash"]


def _hash_of_row(row: dict[str, Any]) -> str:
    """In the form that it names; rows of the first form name none."""
    form = row.get("hash_version", OWN)
    covered = ROW if form == OWN else (*ROW, "hash_version")
    return sha256(FORMS[form]({name: row[name] for name in covered}))


def _asked(receipt: dict[str, Any]) -> Iterator[str]:
    """Every round has the content that was asked for, under the policy and of the people that were found then."""
    rows, request, policy = receipt["audit"], receipt["request"], receipt["policy"]
    asked = [row["data"]["content"] for row in rows if row["action"] in ("approval.ask", "approval.changed")]
    if asked != [one["content_hash"] for one in receipt["rounds"]]:
        yield "what was asked is not what the audit has"
    opened = _last(rows[:1], "approval.ask")
    if any(request[name] != opened.get(name) for name in ASKED):
        yield "who asked, when and for what is not what the audit has"
    if (policy["version"], policy["hash"]) != (opened.get("policy_version"), opened.get("policy_hash")):
        yield "the policy is not the one that the audit has"
    if sha256(canonical(request["facts"])) != opened.get("facts"):
        yield "the facts are not those that the audit has"
    plan, barred = receipt["plan"], set(opened.get("barred", ()))
    if plan_hash(plan, receipt["people"]) != opened.get("plan") or not barred <= set(plan["barred"]):
        yield "the plan or its people are not those that the audit has"


def _said(receipt: dict[str, Any]) -> Iterator[str]:
    """Every vote has its row and every row its vote."""
    rows = receipt["audit"]
    voted = [
        (f"approval.{vote['decision']}", vote["comment"], vote["door"], vote["content_hash"],
         *(vote[name] for name in VOTED))
        for vote in receipt["votes"]
    ]  # fmt: skip
    recorded = [
        (row["action"], row["note"], row["door"], row["data"]["content"], *(row["data"].get(name) for name in VOTED))
        for row in rows
        if row["action"] in VOTES
    ]
    if voted != recorded:
        yield "the votes are not those that the audit has"
    shown = {one["round"]: one["content"] for one in receipt["rounds"]}
    for vote in receipt["votes"]:
        shown[vote["round"]] = apply_edits(shown[vote["round"]], vote["edits"])
        if sha256(canonical(shown[vote["round"]])) != vote["content_hash"]:
            yield "a vote is about another content than its round"
            break
    spent = [row["data"]["key"] for row in rows if row["action"] == "approval.spend"]
    if spent != ([receipt["grant"]["spent_by"]] if receipt["grant"] else []):
        yield "the use of the yes is not what the audit has"


def _ended(receipt: dict[str, Any]) -> Iterator[str]:
    """Its last end is that of its last round."""
    request, names, votes = receipt["request"], receipt["people"], receipt["votes"]
    end, number = _last(receipt["audit"], "approval.ended"), len(receipt["rounds"])
    edits = {path: value for vote in votes if vote["round"] == number for path, value in vote["edits"].items()}
    if request["edits"] != edits:
        yield "the edits are not those of the votes"
    content = sha256(canonical(apply_edits(receipt["rounds"][-1]["content"], edits)))
    if [number, content] != [end.get("round"), end.get("content")] or any(
        request[name] != end.get(name) for name in ENDED
    ):
        yield "how it ended is not what the audit has"
    people = sha256(canonical([names, receipt["plan"]["barred"]]))
    if people != end.get("people") or any(vote["name"] != names.get(vote["person"]) for vote in votes):
        yield "the names, or who was barred, are not what the audit has"
    if sha256(canonical([[vote["person"], vote["at"]] for vote in votes])) != end.get("votes"):
        yield "the times of the votes are not those that the audit has"


def _last(rows: list[dict[str, Any]], action: str) -> dict[str, Any]:
    """What the last row of this kind says; one that is older than this check may say less."""
    return next((row["data"] for row in reversed(rows) if row["action"] == action), {})


def _sealed(receipt: dict[str, Any], key: str) -> Iterator[str]:
    seal = receipt["seal"]
    if seal is None:
        return
    chain, seq, known = seal["head"]
    row = receipt["audit"][seq - 1] if 0 < seq <= len(receipt["audit"]) else {}
    if chain != receipt["request"]["request_id"] or row.get("hash") != known:
        yield "the seal holds another row than the audit has"
    if sha256(canonical({name: seal[name] for name in SEAL})) != seal["hash"]:
        yield "the seal was changed"
    same_key = seal["key_id"] == signing_key.key_id(key)
    if same_key and not signing_key.verify(f"zen audit seal {seal['hash']}".encode(), seal["signature"], key=key):
        yield "the signature of the seal does not hold"
    if "heads" in seal:
        lines = b"".join(canonical(head) + b"\n" for head in sorted(seal["heads"]))
        if sha256(lines) != seal["digest"] or seal["head"] not in seal["heads"]:
            yield "the heads of the seal were changed"
