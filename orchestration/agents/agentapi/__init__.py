"""A server in the manner of coder/agentapi 0.12 over one session of any driver: `manage.py agentapi`.

`conversation` holds the session: what was said, whether it runs, what it asks; `server` is its HTTP door, `upload`
reads files, `document` describes it. Clients of agentapi work with it as it is. What is better here: a busy agent is
409 and not 500, `/status` says how the last turn ended and what is asked, events have an `id` from which a reader may
go on. It listens on loopback only and has no sign-in: whoever can reach the port of this machine may speak to the
agent. Imported by the console command alone.
"""
