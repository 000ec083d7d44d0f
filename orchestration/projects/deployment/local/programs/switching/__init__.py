"""What the program `switch` is made of: it takes requests on a port and hands each to a backend, by weights.

`table` says whose turn it is, `counts` what each release was asked and answered, `state` is both together, with the
file that the table is read from; `client` is a connection of one, `conversation` its requests, `exchange` one of them
at a backend; `pipes` an upgraded one. `server` listens, on the port and on the control socket.

Each request is judged anew, so a kept connection follows the switch at once; a request that runs keeps its backend. A
backend that takes no connection is passed over for another, before anything was sent to it. Standard library and h11
only, and nothing of Zen: it goes on serving while that is replaced. Imported by the program alone.
"""
