"""How each run does and why, and whether the site is healthy.

`core` judges (pure), `watch` keeps the judgements up to date, `alerting` tells of them, `queries` shows them; `client`,
`api`, `console`, `admin` and the run's page are doors. What is kept of health can be made anew from the
runs. `recovery` decides what is done about runs in trouble, and `performing` does it, through the services that people
use: nothing else here changes a run.

`probes` has one function for each part, which returns a `Finding`; `examine` asks all of them at once, each within a
bound; `manage.py doctor` shows the findings, and its exit code tells scripts.

A finding names what is wrong, since when, and the command that mends it. A probe may fail or hang without harm to the
others. Imported by `zen_project` and by commands; it may import every other app.
"""
