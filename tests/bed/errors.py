"""The one error of the test bed."""


class BedError(Exception):
    """The bed cannot do what was asked. The message says what, where and what to do about it; the command line exits with 2."""
