# A bare host's part in a cancellation.
# Needs: ID, KEEPER, STATE, WORK (lines of what is still to be done: `key phase why ids`), end_members, kept, look_at, look_at_queue, members, queued,
#   withdraw (ID: takes it back).
# Gives: ASKED (whom it asks, in words), JOBS (lines `key id ...` of the keys in WORK that have not ended), SAID (why that was not told), end_jobs (ends
#   what WORK says of them, and tells of each).
# shellcheck disable=SC2034,SC2153  # ASKED, SAID: read by the script behind it; WORK is set there

ASKED="the host" SAID=

live_jobs() {
  JOBS=
  look_at_queue || { SAID="its queue cannot be read"; return 1; }
  while read -r key _; do
    [ "$key" ] || continue
    look_at "$key"
    [ "$STATE" ] || ! queued "$key" || STATE=PENDING   # revoked by now
    [ "$STATE" ] || [ -s "runs/$key/outcome" ] || end_members "$key"   # who has removed his own state is known by his environment alone
    [ "$STATE" ] && JOBS="$JOBS$key $ID $STATE $KEEPER$LINE_END"
  done <<END
$WORK
END
}

end_jobs() {
  while read -r key phase _ ids; do
    [ "$key" ] || continue
    job=$(printf '%s' "$JOBS" | grep "^$key ") || continue
    # shellcheck disable=SC2086  # the job's fields are words
    set -- $job
    case $phase in only) case " $ids " in *" $2 "*) ;; *) continue ;; esac ;; esac
    if [ "$3" = PENDING ]; then
      withdraw "$2"
    elif [ "$phase" = term ]; then
      kill -s TERM "$4" 2>/dev/null
    else
      end_run "$key"
    fi
    say ended "$key" "$2"
  done <<END
$WORK
END
}

# end_run KEY: its processes first, so that wrapper and keeper can write its end; what is left of them after two seconds goes as well.
end_run() {
  end_members "$1" || say trouble "$1" "processes of it do not end: $(members "$1" | tr '\n' ' ')"
  tries=0
  while kept "$1" && [ "$tries" -lt 20 ]; do
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  kept "$1" && kill -s KILL "$KEEPER" 2>/dev/null && end_members "$1"
}
