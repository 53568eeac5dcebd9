"""A Job: the owner of Runs that a person applies, what it asks for, and what its status and Events say."""
