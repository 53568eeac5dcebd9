# Prints a Run's output file, byte for byte from some byte on, behind one row: log, path, size, offset, start, whether that start is over, and the last
# start. It ends by itself within bounds: whoever goes away without a word leaves nothing that runs on.
# Set before it: TREE, MARKER, KEY, STREAM (out, err), TURNS (seconds to wait for more, 0: none), PIECE_SECONDS (for one piece to be taken), and what was read
# so far: SEEN (path) up to OFFSET, of START (each may be empty); TAIL: only so many last lines, where nothing was read yet.

# is_over: this start writes no more: it has ended, another has begun, or its directory has been taken down.
is_over() {
  [ -e "runs/$KEY/finished-$start" ] && return 0
  last_start "runs/$KEY"
  [ "$LAST" != "$start" ]
}

# sized: SIZE is the file's. Asked of an opened file: a network file system looks afresh then.
sized() { SIZE=$(stat -L -c %s /dev/stdin <"$out"); } 2>/dev/null

# at_tail: OFFSET is where the last TAIL lines begin. Asked again where the file grew meanwhile.
at_tail() {
  tries=0 before=
  while [ "$SIZE" != "$before" ] && [ "$tries" -lt 3 ]; do
    tries=$((tries + 1)) before=$SIZE
    OFFSET=$((before - $(tail -n "$TAIL" "$out" | wc -c)))
    sized
  done
  [ "$OFFSET" -ge 0 ] || OFFSET=0
}

begin
into_tree
plain "$KEY"
last_start "runs/$KEY"
start=${START:-$LAST}
if [ "$start" ] && [ -r "runs/$KEY/started-$start" ]; then
  { read -r _ && IFS= read -r out && IFS= read -r err; } <"runs/$KEY/started-$start"
  [ "$STREAM" = err ] && out=$err
elif [ "$START" ]; then
  out=$SEEN                     # its directory is gone, the file is the user's and stays
else
  say no-log "the script has not started, or its directory has been removed"
  finish
fi
over=
is_over && over=1               # asked before the size here too
if ! [ -f "$out" ] || ! [ -r "$out" ] || ! sized; then
  say no-log "$out cannot be read on this login node"
  finish
fi
if [ "$SEEN" != "$out" ]; then
  OFFSET=0
  [ "$TAIL" ] && at_tail
fi
[ "$OFFSET" -le "$SIZE" ] || OFFSET=0   # somebody has cut it
say log "$out" "$SIZE" "$OFFSET" "$start" "$over" "${LAST:-$start}"

turn=0
while :; do
  over=
  is_over && over=1             # before the size, so that what is printed then is all of it
  sized || break
  if [ "$SIZE" -gt "$OFFSET" ]; then
    timeout -k 2 "$PIECE_SECONDS" tail -c "+$((OFFSET + 1))" "$out" | timeout -k 2 "$PIECE_SECONDS" head -c "$((SIZE - OFFSET))" || break
    OFFSET=$SIZE
  fi
  if [ "$over" ] || [ "$turn" -ge "$TURNS" ] || [ "$SIZE" -lt "$OFFSET" ]; then break; fi
  turn=$((turn + 1))
  sleep 1
done
exit 0
