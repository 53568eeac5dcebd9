"""The protocol in executable form: every interleaving of its single steps, searched breadth first. `docs/model.md` says how to read it.

One module for each actor: `controller`, `submit`, `cancel`, `observe`, `remove`, `scheduler`, `wrapper`; people and the API server are in
`objects`. `state` is all that they can see of each other; `rules` names what the safety rests on, and each rule can be taken away;
`properties` says what must never happen. What a real part looks like does not belong here: only the test that drives the real scripts
through these traces, with its `stage`, knows Fairlead.

A step is one read or write of the API server, one file operation or one look into a directory, one call of the scheduler; nothing wider
but: a look at several entries of a directory in which entries only appear; the removal of the rest once the claim is `revoked`; an answer
that needs no API call. Each step may be delayed for ever, which is also how a pause or a crash looks to the others. Each fault happens at
most once.

Left out: time (180 s may be over at once, 90 s are one more look, 7 days are never over), and more than two attempts, two controllers and
two submissions of an attempt. Behind a violation nothing is searched.
"""
