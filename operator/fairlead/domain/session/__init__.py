"""A Session: an owner of Runs that is reached through a Service; what it asks for, and what its status and Events say."""
