"""The demonstration (`make demo`, `manage.py demo`): three sagas against three small services that really hold state.

`story` runs them and says what must be true afterwards; `services` are the peers, `people` the first accounts of a
site, `gates` the part in which people decide through the REST API, `mending` the one in which a policy mends a run,
`site` serves that API from this process. `broken` breaks runs on purpose, for training; `stage` is what it shares
with `mending`; `engines` starts the engine of either. `project` has agents build a page, catches the one that lies, and
brings the page to its users.

It uses the product as a site would. Imported by the commands of `zen_project`.
"""
