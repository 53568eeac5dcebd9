"""kopf's handlers: they read objects into the registry and wake what cares. No decision is made here, and nothing is written.

kopf only feeds: its handlers return None and leave the patch alone, so it writes nothing to the API server.
"""
