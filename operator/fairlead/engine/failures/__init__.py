"""What fails is tried again, later each time: a breaker, pauses after writes that were not taken, and what goes wrong with one object."""
