# What run directories say. Set before it: KEYS (lines `key id`, the id perhaps missing).
# shellcheck disable=SC2034  # what is set here is read by the scripts behind it

# log_tail KEY START: size and last 4 KiB of the user's output, where this login node can read them.
log_tail() {
  { read -r _ && IFS= read -r out && IFS= read -r err; } <<END || return
$(beginning "runs/$1/started-$2" 12288)
END
  case $out in /*) ;; *) return ;; esac
  [ "${#out}" -le 4096 ] && [ "${#err}" -le 4096 ] || return
  size='' tail=''
  if [ -f "$out" ] && [ -r "$out" ]; then
    size=$(timeout -k 2 5 stat -L -c %s "$out" 2>/dev/null)
    tail=$(timeout -k 2 5 tail -c 4096 "$out" 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
  fi
  say log "$1" "$size" "$out" "$err" "$tail"
}

# sentinels KEY: what its directory holds. ENDED: a `finished` of the claimed id's last start is among it. ID: the claimed id, or the submitted one.
sentinels() {
  run=runs/$1 claim='' id='' refused='' stop='' never='' word='' ender='' ENDED='' ID=''
  [ -d "$run" ] || { say run "$1" absent; return; }
  set -- "$1" "$run"/*          # lists the folder afresh: an NFS client may remember that a file was not there
  claim=$(readlink "$run/claim")
  [ -h "$run/never" ] && never=$(readlink "$run/never")
  first_line "$run/id" && id=$LINE
  first_line "$run/refused" && refused=$LINE
  last_start "$run"
  [ "$LAST" ] && first_line "$run/started-$LAST" && say "started-$LAST" "$1" "$LINE"
  [ "$LAST" ] && first_line "$run/finished-$LAST" && say "finished-$LAST" "$1" "$LINE" && ender=${LINE%% *}
  [ "$LAST" ] && [ -h "$run/word-$LAST" ] && word=$(readlink "$run/word-$LAST")
  first_line "$run/stop" && stop=$LINE   # after the ends: one that a signal of ours has caused is never seen without its reason
  # What is longer than any word of ours is none.
  [ "${#claim}" -le 256 ] || claim=-
  [ "${#never}" -le 256 ] || never=
  [ "${#word}" -le 256 ] || word=
  [ "${#id}" -le 256 ] || id=
  [ "${#stop}" -le 256 ] || stop=-
  say run "$1" present "$claim" "$id" "$refused" "$stop" "$never" "$word"
  case $claim in '' | revoked) ID=$id ender='' ;; *) ID=${claim%%.*} ;; esac
  case $ID in *[!0-9]* | ???????????*) ID='' ;; esac   # it becomes an argument
  [ "$ID" ] && [ "$ender" = "$ID" ] && ENDED=1 && log_tail "$1" "$LAST"
}

# touch_live: sites purge scratch; the directories of live Runs are kept young.
touch_live() {
  touch -c . marker layout bin bin/* bin/*/*
  printf '%s\n' "$KEYS" | while read -r key _; do [ -d "runs/$key" ] && touch -c "runs/$key" "runs/$key"/[!c]*; done
}
