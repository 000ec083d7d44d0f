"""The kinds of channels: one module each, whose `send` takes an envelope and returns an outcome.

A sender touches no row and no clock, raises nothing, makes one attempt, and says whether a failure may pass.
`registry` is the table of kinds; `targets` says which name, target and token a channel may have. To add a kind: a
module with `send`, its line in `registry`, its rules in `targets`, and a test against a real peer.

Imported by the models (for the rules of targets) and by delivery; approvals use `mrkdwn` to know what a message shows.
"""
