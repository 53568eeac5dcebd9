# One exec for all Runs of a site: the listing, then what the run directories, scontrol and sacct say of the keys that it does not explain.
# Set before it: TREE, MARKER, MARK (the comment of our jobs up to the key), FORMAT (squeue's, comment last), STATE_FIELD (of a row), LIVE (states in
# which nothing else need be asked, blanks around each), KEYS (lines `key id`, the id perhaps missing), TOUCH, ACCOUNTING, SACCT_FORMAT, *_SECONDS.

MOST_OF_KEY=12288               # bytes of the rows that one key's mark is shown with: 64 rows and more
MOST_SAID=16384                 # bytes of scontrol's line
MOST_BOOKED=4096                # bytes of sacct's rows of one id

# rows: what squeue printed behind this exec's fence of the keys that are asked for, by our mark, or of an id that we know: a site may have rewritten the
# comment. A newline in a comment of another job makes a line without the fence. A script may submit as many jobs with a mark as it likes: ids that we know
# come first, and of each mark no more than its bound. A text longer than any that counts is cut, and does not count then either.
rows() {
  { printf '%s\n' "$KEYS"; echo ""; printf '%s\n' "$LISTING"; } | awk -F "$US" -v OFS="$US" -v fence="$FENCE" \
    -v mark="$MARK" -v format="$FORMAT" -v most="$MOST_OF_KEY" '
    BEGIN { fields = split(format, word, FS) + 2 }
    !behind && $0 == "" { behind = 1; next }
    !behind { split($0, word, " "); asked[mark word[1]] = 1; if (word[2] != "") known[word[2]] = 1; next }
    $1 != fence || NF != fields || !($NF in asked || $3 in known) { next }
    { for (i = 3; i <= NF; i++) if (length($i) > 1024) $i = substr($i, 1, 1024) }
    $3 in known { if (!shown[$3]++) print; next }
    (bytes[$NF] += length($0) + 1) <= most { held[++rows] = $0 }
    END { for (i = 1; i <= rows; i++) print held[i] }'
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

# ask_scontrol KEY ID: a second source for an id that is not listed, so that an empty listing alone is never believed. What is longer than a job's
# line can be decides nothing.
ask_scontrol() {
  [ "$HUNG" ] && return
  said=$(slurm "$SCONTROL_SECONDS" scontrol -o show job "$2" 2>/dev/null); status=$?
  hung "$status" && HUNG=1
  [ "$status" = 0 ] && [ "${#said}" -le "$MOST_SAID" ] && said=$(printf '%s' "$said" | tr '\n\037' '  ') && say scontrol "$1" "$said"
}

# ask_sacct: one call for all ids that nothing else explains; a name or a comment may be of any length. Whole rows or none: a part of one could lie.
ask_sacct() {
  [ "$GONE" ] && [ "$ACCOUNTING" != None ] || return
  said=$(slurm "$SACCT_SECONDS" sacct -X -n -P -S now-90days -j "$GONE" -o "$SACCT_FORMAT" 2>/dev/null); status=$?
  say accounting "$status"
  printf '%s\n' "$said" | awk -F '|' -v ids="$GONE" -v head="$FENCE${US}sacct$US" -v most="$MOST_BOOKED" '
    BEGIN { count = split(ids, word, ","); for (i = 1; i <= count; i++) gone[word[i]] = 1 }
    $1 in gone && bytes[$1] + length(head $0) < most { bytes[$1] += length(head $0) + 1; print head $0 }'
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
