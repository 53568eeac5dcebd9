"""The gateways: each holds the tunnels of some Sessions, and makes each reachable on a port of its own address.

Belongs here: who of several gateways takes which Session, which port is whose, and the order in which all of it is opened and ended. Does
not belong here: how a stream goes through SSH (ssh), how a slice or a Lease is written (kube), what a Session is (domain).
"""
