"""What a remote host printed, made fit for one line of a condition or a log: all of it is untrusted."""

MOST_CHARACTERS = 500
"""A condition's message holds 32 KiB; a person reads a few lines of it."""
_LOOKED_AT = 8                       # so many times the characters that are kept are read, from the end: blanks go from them


def one_line(printed: bytes | str, most_characters: int = MOST_CHARACTERS) -> str:
    """Return the text on one line: bad UTF-8 and control characters are gone, white space is folded, the end of a long text is kept."""
    seen = printed[-_LOOKED_AT * most_characters:]
    text = seen.decode(errors="replace") if isinstance(seen, bytes) else seen
    plain = " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in text).split())
    return plain if len(plain) <= most_characters and len(seen) == len(printed) else f"... {plain[-most_characters:]}"
