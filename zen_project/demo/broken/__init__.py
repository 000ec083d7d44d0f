"""Runs that are broken on purpose (`make broken`): what is said of each, what is done about it, and what comes of that.

For operators in training, and for whoever wants to see that recovery does what it says. `scene` is what a scene gets
and gives; `peers` has those in which a service answers badly, `waits` those in which something is waited for in vain,
`attempts` those in which one takes too long; `telling` plays them and prints the table.

Some are hurried by SQL, which moves a moment into the past: nobody in training waits for hours.
"""
