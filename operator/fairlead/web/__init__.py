"""What the controller serves over HTTP: its health and its metrics (`health`).

Here belong pages for probes and scrapers. Nothing here changes anything, asks a remote host or reads an object; there is no user interface.
"""
