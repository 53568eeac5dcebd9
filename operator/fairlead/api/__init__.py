"""The Kubernetes API of Fairlead: what a user writes and reads.

Belongs here: the resources as pydantic models, one package for each version; every string and number that outlives a release; the rules
that a manifest must keep, with the sentence that a user gets; and ``crd``, which turns all of it into ``crds/*.yaml``.

Does not belong here: what a resource leads to. Nothing here reads a file, a clock or a socket, except ``crd`` run as a command.
"""
