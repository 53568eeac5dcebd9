# Prints a Run's output file from some byte on, behind one row: log, path, size, offset, start, whether that start is over, and the last start. With RAW byte
# for byte, else as FOLD says: in pieces, each behind a row of its own. It ends by itself within bounds: whoever goes away without a word leaves nothing that
# runs on.
# Needs: STREAM (out or err), TURNS (seconds to wait for more, 0: none), PIECE_SECONDS (for one piece to be taken), SEEN (the path that was read so far,
#   up to OFFSET, or empty), START (of which that was, or empty), TAIL (only so many last lines, where nothing was read yet), RAW (1: byte for byte),
#   SLICE (bytes to fold at once), HELD_BYTES (so many bytes of standard input are what the last piece has left), FOLD (the program for awk), KEY, MARKER
#   (what its marker says), TREE (its path), foldable (in front of it).
# Gives: nothing.

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

# raw: all up to SIZE.
raw() {
  [ "$SIZE" -gt "$OFFSET" ] || return 0
  timeout -k 2 "$PIECE_SECONDS" tail -c "+$((OFFSET + 1))" "$out" | timeout -k 2 "$PIECE_SECONDS" head -c "$((SIZE - OFFSET))" || return
  OFFSET=$SIZE
}

# folded: the same, a slice at a time: a line that never ends is not held in memory either. A line that is still written over is shown when the file is at
# rest, and where this reading ends.
folded() {
  while bytes=$((SIZE - OFFSET)) && { [ "$bytes" -gt 0 ] || is_held; }; do
    [ "$bytes" -ge 0 ] || bytes=0
    MODE='more'
    if [ "$bytes" -gt "$SLICE" ]; then bytes=$SLICE
    elif [ "$over" ] || [ "$TURNS" = 0 ]; then MODE='end'
    elif [ "$bytes" = 0 ] || [ "$turn" -ge "$TURNS" ]; then MODE='rest'; fi
    left=$({ timeout -k 2 "$PIECE_SECONDS" tail -c "+$((OFFSET + 1))" "$out" | head -c "$bytes" | foldable; echo; } |
      FOLD_FENCE=$FENCE MODE=$MODE OFFSET=$OFFSET HELD=$HELD timeout -k 2 "$PIECE_SECONDS" awk "$FOLD" 3>&1 >&4)
    case $left in *"$RS"*.) left=${left%.} HELD=${left#*"$RS"} ;; *) return 1 ;; esac
    [ "$bytes" -gt 0 ] || return 0
    [ "$OFFSET" != "${left%%"$RS"*}" ] || return 1    # somebody has cut the file, or it cannot be read any more
    OFFSET=${left%%"$RS"*}
  done
}

# is_held: what is left is not all shown.
is_held() { case $HELD in dirty*) ;; *) return 1 ;; esac; }

exec 4>&1
RS=$(printf '\036')
HELD=$(head -c "$HELD_BYTES")
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
  OFFSET=0 HELD=
  [ "$TAIL" ] && at_tail
fi
[ "$OFFSET" -le "$SIZE" ] || OFFSET=0 HELD=   # somebody has cut it
say log "$out" "$SIZE" "$OFFSET" "$start" "$over" "${LAST:-$start}"

turn=0
while :; do
  over=
  is_over && over=1             # before the size, so that what is printed then is all of it
  sized || break
  if [ "$RAW" ]; then raw; else folded; fi || break
  if [ "$over" ] || [ "$turn" -ge "$TURNS" ] || [ "$SIZE" -lt "$OFFSET" ]; then break; fi
  turn=$((turn + 1))
  sleep 1
done
exit 0
