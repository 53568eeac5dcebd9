# Brings run directories down to tombstones, takes old tombstones away, and lists what the tree holds.
# Set before it: TREE, MARKER, KEYS (one a line), DAYS (of a tombstone), SWEEP. In front of it stands a scheduler's part: `listed_jobs` says what has
# our mark, and at the end `listed` with 0 if that was all.

# bury KEY: `revoked` is renamed over the claim first, so that no start can win at any moment; `stop` goes last. What the user's script wrote stays.
bury() {
  run=runs/$1
  [ -e "$run/orphaned" ] && { say kept "$1"; return; }
  mkdir "$run" 2>/dev/null
  ln -s revoked "$run/.claim.$TAG" && mv -f "$run/.claim.$TAG" "$run/claim"
  [ "$(readlink "$run/claim")" = revoked ] || { say kept "$1"; return; }
  for entry in "$run"/* "$run"/.[!.]*; do
    case $entry in */claim | */stop) ;; *) rm -rf "$entry" ;; esac
  done
  rm -rf "tmp/$1".*             # what a submission that was cut off in the middle had put aside
  rm -f "$run/stop"
  if only_claim "$run"; then say buried "$1"; else say kept "$1"; fi
}

# only_claim FOLDER: whether it is a tombstone.
only_claim() {
  set -- "$1" "$1"/*
  [ $# = 2 ] && [ -h "$2" ] && [ "$2" = "$1/claim" ]
}

# clear_old: moved aside first, so that no half of a tombstone is ever seen. What a cut exec left aside goes after a day.
clear_old() {
  find runs -mindepth 1 -maxdepth 1 -type d -mtime "+$DAYS" | while IFS= read -r run; do
    only_claim "$run" && [ "$(readlink "$run/claim")" = revoked ] && mv "$run" "tmp/${run##*/}.$TAG" && rm -rf "tmp/${run##*/}.$TAG"
  done
  find tmp -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} +
}

# list_tree: every directory, whose it is and whether it is down to its tombstone; then every listed job with our mark.
list_tree() {
  for run in runs/*; do
    [ -d "$run" ] || continue
    owner=
    first_line "$run/owner" && owner=$LINE
    stone=; only_claim "$run" && stone=1
    orphaned=; [ -e "$run/orphaned" ] && orphaned=1
    say remnant "${run##*/}" "$owner" "$stone" "$orphaned"
  done
  listed_jobs
}

begin
into_tree
while read -r key; do [ "$key" ] && bury "$key" 2>/dev/null; done <<END
$KEYS
END
clear_old 2>/dev/null
[ "$SWEEP" ] && list_tree
finish
