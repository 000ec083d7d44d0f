"""The parts of `api_call`: the request that is written, its exchanges, and what the answer means.

`request` writes the request of an action, `request_body` its body, both from what is `sendable`; `exchange` sends it
through `foundation.outbound` with redirects and a bound on the answer, `response_body` reads the body, `answer`
classifies it by `fail_on`, `retry_on`, `until` and the status (rule 4). Imported by `actions.api_call`;
docs/reference/http.md has the keys.
"""
