# A bare host's part in a probe.
# Needs: BOOT, BORN, HOST, INSTALLATION (its name), LOCKS, MACHINE, TREE (its path), born, full (WORDS: nothing can be stored there), on_host,
#   own_systemd, problem (KIND WORDS: tells why it cannot be used).
# Gives: FOLDER (the tree's name in WORK_DIR), ends_at_logout, look_at_scheduler (says what it is, and whether it can be used), look_at_tools,
#   stays_in_scope.
# shellcheck disable=SC2034  # FOLDER is read by the script behind it

FOLDER=$INSTALLATION.$MACHINE   # several hosts may share a home or a work folder, but never a tree: a pid and a lock are of one kernel

look_at_scheduler() {
  look_at_tools
  why=$(on_host 2>&1) || full "$why"
  is_own "$TREE/$HOST"
  is_own "$LOCKS"
  ends_at_logout && stays_in_scope
  say version "$(uname -sr | tr ' ' -)"
}

# look_at_tools: whether processes can be found and slots locked with what is there.
look_at_tools() {
  for tool in flock setsid find grep awk sort cut; do
    command -v "$tool" >/dev/null 2>&1 || problem no-tools "$tool is not in PATH ($PATH)"
  done
  [ "$BOOT" ] && born $$ && [ "$BORN" ] || problem no-tools "/proc does not say when a process began, or which boot this is"
  printf 'x\0FAIRLEAD_RUN=1\0' | grep -q -z -x -F FAIRLEAD_RUN=1 || problem no-tools "grep knows no -z, so that processes cannot be told by their environment"
  find / -maxdepth 0 -lname x >/dev/null 2>&1 || problem no-tools "find knows no -lname, so that processes cannot be told by their slots"
}

# is_own FOLDER: whether it is of this host and not of another that shares it and has the same /etc/machine-id, as clones do, or none, as containers do.
# The first one's name stands there: of two that write it, `ln` lets one.
is_own() {
  name=$(uname -n)
  [ -h "$1/name" ] || ln -s "$name" "$1/name" 2>/dev/null
  seen=$(readlink "$1/name")
  [ "$seen" ] || problem not-writable "$1/name can be neither made nor read"
  [ "$seen" = "$name" ] || problem not-ours "$1 is of the host $seen, which has the same /etc/machine-id as this one, $name, or none like it: write an id \
of its own into that of one of them (32 hexadecimal digits); if they are one host with a new name, remove $1/name"
}

# ends_at_logout: whether logind ends at logout what we start as a part of the session (logind.conf(5)). Linger alone changes nothing about that.
ends_at_logout() {
  case $(cat /proc/self/cgroup) in */session-*.scope*) ;; *) return 1 ;; esac
  said=$(bare timeout 5 busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
    KillUserProcesses KillOnlyUsers KillExcludeUsers 2>/dev/null)
  { read -r all; read -r some; read -r none; } <<END
$said
END
  case $none in *"\"$LOGIN\""*) return 1 ;; 'as 0') [ "$ME" != 0 ] || return 1 ;; esac
  case $some in *"\"$LOGIN\""*) ;; *' 0' | '') [ "$all" = 'b true' ] ;; *) return 1 ;; esac
}

# stays_in_scope: what is in a scope of the user's own systemd is no part of the session, and stays as long as that does: with linger.
stays_in_scope() {
  ends="logind ends all processes of $LOGIN at logout (KillUserProcesses)"
  own_systemd || problem ends-at-logout "$ends, unless they are in scopes of his own systemd: have 'loginctl enable-linger $LOGIN' run there"
  why=$(bare XDG_RUNTIME_DIR="/run/user/$ME" timeout 10 systemd-run --user --scope --quiet --collect true 2>&1) ||
    problem ends-at-logout "$ends, and 'systemd-run --user --scope' fails (${why:-no answer}): have KillExcludeUsers=$LOGIN set in its logind.conf"
}
