# A bare host's part in a submission: the queue.
# Needs: RANK (set for each key: where in the queue it goes, the lowest first), BUILD (names the files by their content, so that pending jobs keep
#   theirs), HOST, ID, KEY, answer (WORD...: of this key), handed_in (the scheduler took it, as `id`), is_number, locked, look_at_queue, on_host, queued,
#   unlocked.
# Gives: ASKED (whom it asks, in words), hand_in (hands the key over and answers, with `handed_in` where it was taken), listed (sets `id` to what is
#   shown under the key), prepare_more (nothing).
# shellcheck disable=SC2034  # ASKED is read by the script behind it

ASKED="the host's queue"

prepare_more() { :; }

listed() { look_at_queue || return; queued "$KEY"; id=$ID; }

# hand_in SLOTS GPUS SECONDS: a number, and its place in the queue.
hand_in() {
  if ! on_host || ! locked; then
    unlocked
    answer unknown 1 "the host's queue cannot be written or locked"
    return
  fi
  id=0
  first_line "$HOST/number" && id=$LINE
  is_number "$id" && id=$((id + 1))
  is_number "$id" || id=$(date +%s)   # a script has written something else there, or the largest: no number is far from this one
  put "$HOST" number "$id" && put "$HOST/queue" "$RANK-$(printf '%010d' "$id")" "$KEY $id $1 $2 $3 $BUILD"; status=$?
  unlocked
  if [ "$status" != 0 ]; then
    answer unknown 1 "the host's queue cannot be written (disk full, or over quota)"
    return
  fi
  handed_in
}
