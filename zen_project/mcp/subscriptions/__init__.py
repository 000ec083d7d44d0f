"""Changes as they come: who follows resources is told when one has changed, and reads it again.

`marks` says how far a thing is, in a query for each kind and not for each thing: a run and a request count their
changes in their own rows, in the transaction that makes them, so whichever process made one, every process sees it.
`watch` asks once a second for all that this process's followers wait for, and not at all while there are none.
`handlers` are the protocol's methods: `subscriptions/listen` over both transports, and over stdio what older clients
use.

Promises: a follower whose token is over, or who may not look any more, is told nothing from then on (asked before each
notice, and every ten seconds); nothing is replayed; a follower has the streams and the addresses that settings and
`MOST_ADDRESSES` allow.
"""
