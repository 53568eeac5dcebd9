"""A Run, of any owner: what it is from evidence, what comes next for it, how it ends, and whether another one follows."""
