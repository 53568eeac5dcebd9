# One exec for all Runs of a bare host: hands out what is free, then says of each key what it is.
# Needs: KEYS (lines `key id`, the id perhaps missing), ID, MARKER (what its marker says), MEANS, QUEUE, SINCE, STATE, TOUCH (1: keep the directories of
#   live Runs young), TREE (its path), hand_out, look_at, look_at_queue, on_host, sentinels (of the keys in KEYS), touch_live (keeps them young), written,
#   is_late (whether the others have to wait).
# Gives: nothing.

# shellcheck disable=SC2034,SC2153  # LINE is set by first_line; LOOKED is read by is_late
begin
into_tree
# shellcheck disable=SC2046  # words
plain $(printf '%s\n' "$KEYS" | cut -d ' ' -f 1)
on_host 2>/dev/null && hand_out
look_at_queue || exit           # nothing is better than that a Run which waits is not there
first=${QUEUE%% *} node=$(uname -n)
while read -r key _; do
  [ "$key" ] || continue
  is_late && { say later "$key"; continue; }
  LOOKED=1
  look_at "$key"
  if [ "$STATE" ]; then
    reason=
    [ "$STATE" = PENDING ] && reason=Priority
    [ "$key" = "$first" ] && reason=Resources
    say job "$key" "$ID" "$STATE" "$SINCE" "$reason" "$node" "$MEANS"
  else
    sentinels "$key"
    first_line "runs/$key/outcome" && line=$LINE && { written "$key"; say outcome "$key" "$line" "$MEANS"; }
  fi
done <<END
$KEYS
END
[ "$TOUCH" ] && touch_live 2>/dev/null
finish
