# One exec for all Runs of a site: the listing, then what the run directories, scontrol and sacct say of the keys that it does not explain.
# Set before it: TREE, MARKER, MARK (the comment of our jobs up to the key), FORMAT (squeue's, comment last), STATE_FIELD (of a row), LIVE (states in
# which nothing else need be asked, blanks around each), KEYS (lines `key id`, the id perhaps missing), TOUCH, ACCOUNTING, SACCT_FORMAT, *_SECONDS.

# rows: what squeue printed behind this exec's fence of the keys that are asked for, by our mark, or of an id that we know: a site may have rewritten the
# comment. A newline in a comment of another job makes a line without the fence.
rows() {
  { printf '%s\n' "$KEYS"; echo ""; printf '%s\n' "$LISTING"; } | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" '
    !behind && $0 == "" { behind = 1; next }
    !behind { split($0, word, " "); asked[mark word[1]] = 1; if (word[2] != "") known[word[2]] = 1; next }
    $1 == fence && ($NF in asked || $3 in known)'
}

# unexplained: the lines of KEYS of which the listing does not show just one job, in a live state; in front what it does show: `live`, `ended` or `-`.
unexplained() {
  { rows; echo ""; printf '%s\n' "$KEYS"; } | awk -F "$US" -v mark="$MARK" -v field="$STATE_FIELD" -v live="$LIVE" '
    $0 == "" { behind = 1; next }
    !behind && index($NF, mark) != 1 { next }
    !behind { key = substr($NF, length(mark) + 1); seen[key]++; if (index(live, " " $field " ")) alive[key]++; next }
    { split($0, word, " "); key = word[1]
      if (alive[key] != 1 || seen[key] != 1) print (alive[key] ? "live" : seen[key] ? "ended" : "-"), $0 }'
}

# ask_scontrol KEY ID: a second source for an id that is not listed, so that an empty listing alone is never believed.
ask_scontrol() {
  [ "$HUNG" ] && return
  said=$(slurm "$SCONTROL_SECONDS" scontrol -o show job "$2" 2>/dev/null); status=$?
  hung "$status" && HUNG=1
  [ "$status" = 0 ] && said=$(printf '%s' "$said" | tr '\n\037' '  ') && say scontrol "$1" "$said"
}

# ask_sacct: one call for all ids that nothing else explains.
ask_sacct() {
  [ "$GONE" ] && [ "$ACCOUNTING" != None ] || return
  said=$(slurm "$SACCT_SECONDS" sacct -X -n -P -S now-90days -j "$GONE" -o "$SACCT_FORMAT" 2>/dev/null); status=$?
  say accounting "$status"
  printf '%s\n' "$said" | sed "s/^/$FENCE${US}sacct$US/"
}

begin
into_tree
LISTING=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE${US}job$US$FORMAT" 2>&1)
status=$?
if [ "$status" != 0 ]; then
  say failed "$status" "$(words "$LISTING")"
  finish
fi
rows
GONE='' HUNG='' UNEXPLAINED=$(unexplained)
# shellcheck disable=SC2046  # words
plain $(printf '%s\n' "$UNEXPLAINED" | cut -d ' ' -f 2)
# The loop reads from a here-document, not from a pipe: what it sets is needed after it.
while read -r listed key known; do
  [ "$key" ] || continue
  sentinels "$key"
  id=${ID:-$known}
  if [ "$listed" != live ] && [ "$id" ]; then
    [ "$ENDED" ] || ask_scontrol "$key" "$id"   # also of one that is listed as ended: only here is its exit code
    [ "$listed" = - ] && GONE=${GONE:+$GONE,}$id
  fi
done <<END
$UNEXPLAINED
END
ask_sacct
[ "$TOUCH" ] && touch_live 2>/dev/null
finish
