"""What is true of this machine alone, and so stands in no table: which of its ports are free, and who has the others.

`tcp_ports` looks at ports of the loopback, for the programs that we start ourselves: the servers of `zen up`, the
releases of deployments. What it says is true at the moment that it looks; whoever takes a port has to be ready to find
it taken.

Standard library only. Imported by `zen_project.embedded` and by the driver `local` of deployments.
"""
