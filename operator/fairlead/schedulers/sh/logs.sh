# Prints the whole of a Run's output file, byte for byte, behind one row that says its path and size. Set before it: TREE, MARKER, KEY, STREAM (out, err).

begin
into_tree
last_start "runs/$KEY"
if [ -z "$LAST" ]; then
  say no-log "the script has not started, or its directory has been removed"
  finish
fi
{ read -r _ && IFS= read -r out && IFS= read -r err; } <"runs/$KEY/started-$LAST"
[ "$STREAM" = err ] && out=$err
if [ -f "$out" ] && [ -r "$out" ]; then
  say log "$out" "$(stat -L -c %s "$out")"
  exec cat "$out"
fi
say no-log "$out cannot be read on this login node"
finish
