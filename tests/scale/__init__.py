"""Two things at scale, on real parts: a crowd of Jobs under a controller that is killed again and again, and a whole namespace deleted.

Here belong the two scenes, what is counted of them, and the page about it. Small ones run inside `make test`; `make scale` runs the large.
"""
