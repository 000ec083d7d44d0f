"""The rules of health, without a database, a clock or a thread.

`assess(facts, norms)` says how a run does, in sentences, and until when that holds if nothing else happens (`look_at`);
`detectors` has one function for each kind of trouble; `norms` says what is usual, from the runs before; `facts` holds
what a detector may know; `errors` puts an error into one of a few classes.

Pure (a contract): the moment is given with the facts, and the same facts always give the same answer. A run without an
answer to a question is not in trouble for it: an unknown value makes no issue. Imported by the rest of monitoring only.
"""
