"""Deploy a project: release, start new, health window, switch, watch, drain old, and all of it back again.

The saga is compiled by `orchestration.core.deployment`; `handlers` performs its steps of the driver `local` and the
health windows of all drivers, under the names `zen.deploy.…`. `claims` lets one deployment of a name go on at a time,
`work` is what each of them knows, `probe` asks for health within bounds, `questions` says what is asked, `window`
judges by the database's clock, `service` is what doors call, `local`
has the processes, ports and the switch.

A handler may be performed again for the same attempt, after any kill -9: it finds what is there and goes on. A
compensation that cannot bring the traffic back says so, and a person is asked. Imported by doors and by
`orchestration.projects`.
"""
