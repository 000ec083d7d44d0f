"""The one leased queue: rows that have to go out, claimed for a time, sent, ended, tried again or dead.

- *Written first.* A row is stored in the transaction of what it tells of. Sending comes after the commit.
- *Claim.* One conditional UPDATE per row (`claim.take`): two workers never get the same one. It adds one to
  `attempts` and to `epoch`, and holds until `lease_until`, by the database's clock.
- *Kept.* The worker makes the leases longer of all that it has in hand, every 10 seconds (`worker.KEEP_SECONDS`): a
  lease ends when its process is lost, and not because an attempt takes long. While the database is away it tries again.
- *Fencing.* The end of a row is written through `claim.mine`: under an older epoch nothing is written, since another
  worker has claimed the row since.
- *At least once.* What a lost worker had claimed is claimed again when its lease ends: it can go out twice, so each
  kind carries an id that its receiver can recognise.
- *Lost.* What a worker was lost over may be what ended it: such a notice is sent while nothing else of its channel is,
  and such a press is claimed alone. Of callbacks each endpoint has one at a time in any case.
- *Backoff.* A failure that may pass is due again later (`backoff`), never before the receiver's own wish. After its
  last attempt a row is dead: no worker tries it again, pages show it, and a person can send it again.
- *One thread writes, many send.* `worker.work_through` sends in threads that touch no row, and writes all ends itself:
  one that breaks does not keep the others' ends from being written.

A kind of row is a model on `model.OutboxRow`, and a `worker.Kind` of functions. All ends are written by `outcome`.
Notices, webhooks and presses are such kinds; the relay of runs (`orchestration.runs.relay`) is none (ADR 12).
"""
