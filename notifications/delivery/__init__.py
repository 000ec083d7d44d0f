"""Sends what is due: claim, read the envelope, send, write the outcome, tell the listeners.

`worker` is a kind of `foundation.outbox`; `claim` and `outcome` are what is particular to deliveries; `settlements`
leaves out messages whose subject is settled by now; `outages` notes times when nothing could be sent; `listeners` tells
other apps how a delivery ended.

Any number of workers may do it at once. A claim is a lease: rows of a worker that died are claimed again when it ends,
so a message can arrive twice, and is never lost. A failure that may pass is tried again, later each time, until the
notice's own end; then the delivery is dead, which pages show, and a person can send it again. Imported by tasks and
`services`; approvals read `outages`.
"""
