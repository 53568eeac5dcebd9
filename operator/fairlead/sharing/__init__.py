"""Few places, shared by namespaces so that none can have them all. What takes them is elsewhere: connections, execs, threads, requests."""
