"""What may be wrong with the whole site, and what is told of it. Pure.

`troubles` has each in words, as an issue with a code; `rules` one rule of alerts for each code, and which alert another
one explains. `sagas` has what may be wrong with a saga as a whole, with its rules.

`monitoring.probes` reads what `troubles` needs, `monitoring.alerting` goes by `rules`.
"""
