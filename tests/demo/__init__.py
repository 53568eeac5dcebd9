"""What a newcomer sees first: one Job from apply to Complete and its removal, on real parts; or the same set-up to play with."""
