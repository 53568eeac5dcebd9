"""How long tests take, and in which order they run: how many at a time, the long files first, and a table of minutes at the end."""
