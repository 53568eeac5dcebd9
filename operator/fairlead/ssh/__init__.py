"""The way to a login node: SSH connections, kept and bounded, and one exec at a time on each of their channels.

Belongs here: everything that imports asyncssh, what a Secret's key and a Cluster's host keys mean, and the sentence that each failure of a
connection turns into. Does not belong here: what a script says or its answer means (schedulers), when to ask (engine), where credentials
come from (handlers, engine).
"""
