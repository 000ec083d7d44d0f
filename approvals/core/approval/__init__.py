"""The flow of one request: `flow.decide(plan, state, event) -> (state, commands)`.

`plan` is the chain with its people, frozen when the request is opened; `quorum` counts votes; `feasibility` says
whether a yes is still possible; `timers` which timer fires when, and whether silence counts; `guards` what a person may
do now; `outcome` what a decision leads to.

A vote is bound to the hash of the content that was shown, and to its round. Nobody counts twice, and nobody decides
their own request. The state is stored in the request's row, and is written by `requests.state.locked_request` alone.
"""
