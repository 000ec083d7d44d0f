"""What the commands `approval` and `policy` read, ask and show.

One module for each group of subcommands, beside what they share: `inputs` reads arguments, `requests` shows a request,
`preview` what an act would lead to, and asks before it is done. They call `approvals.requests`, `policies`, `queries`
and `simulation`, and judge nothing. The console acts as an administrator (`foundation.console.exit_codes`).
Imported by `approvals.management` alone.
"""
