"""Keeps the health of runs up to date: each second by whoever is alive, for what has news or is due, and for no other.

`news` says what news is taken now; `rows` reads what there is to know of a batch of runs, in a fixed number of
queries; `steps` and `collect` make facts of it; `completed` stores the runs of which there is nothing to know;
`judge` stores the health; `learn` keeps the norms; `sweep` is one pass over the news and what is due; `round` compares
every open run with its row once in a while; `loops` says whose turn it is.

A pass may be lost, repeated, or made by two at once: a row is replaced only by a judgement of the same or a later
version of its run. Nothing here changes a run. Imported by `tasks`, `client` and the commands.
"""
