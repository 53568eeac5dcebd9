# Waits at the far end until a Run has begun or ended: wrappers and keepers write a new line into the tree's `changes` then. A hint and nothing more, of when
# a poll is worth while. Each look opens the file, so that an NFS client asks for its newest state; but for `sleep` it needs no process.
# Needs: KNOWN (the line that was seen last, perhaps empty), LISTEN_SECONDS (in all), TICK_SECONDS (between two looks), MARKER (what its marker says),
#   TREE (its path).
# Gives: nothing.

begin
into_tree
find changes -prune \( ! -type f -o -size +1 \) -exec rm -rf {} + 2>/dev/null   # nothing that we write
{ [ -e changes ] || : >changes; } 2>/dev/null
caller=$PPID
kill -0 "$caller" 2>/dev/null || caller=
waited=0
while :; do
  line=
  [ ! -f changes ] || IFS= read -r line <>changes
  [ "$line" = "$KNOWN" ] && [ "$waited" -lt "$LISTEN_SECONDS" ] || break
  sleep "$TICK_SECONDS"
  waited=$((waited + TICK_SECONDS))
  [ -z "$caller" ] || kill -0 "$caller" || exit    # the connection is gone
done 2>/dev/null
say changes "$line"
finish
