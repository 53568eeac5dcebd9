# A bare host's part in a probe. Set before it: SLOTS, GPUS, WATCH_SECONDS, KILL_SECONDS.

look_at_scheduler() {
  for tool in flock setsid find grep awk sort cut; do
    command -v "$tool" >/dev/null 2>&1 || problem no-tools "$tool is not in PATH ($PATH)"
  done
  [ "$BOOT" ] && born $$ && [ "$BORN" ] || problem no-tools "/proc does not say when a process began, or which boot this is"
  printf 'x\0FAIRLEAD_RUN=1\0' | grep -q -z -x -F FAIRLEAD_RUN=1 || problem no-tools "grep knows no -z, so that processes cannot be told by their environment"
  find / -maxdepth 0 -lname x >/dev/null 2>&1 || problem no-tools "find knows no -lname, so that processes cannot be told by their slots"
  why=$(on_host 2>&1) || problem not-writable "$why"
  ends_at_logout && problem ends-at-logout "logind ends all processes of $LOGIN at logout (KillUserProcesses): have 'loginctl enable-linger $LOGIN' run there"
  say version "$(uname -sr | tr ' ' -)"
  say up
}

# ends_at_logout: whether logind would end what we start as soon as the connection closes.
ends_at_logout() {
  command -v loginctl >/dev/null 2>&1 && command -v busctl >/dev/null 2>&1 || return 1
  said=$(bare timeout 5 busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null)
  [ "$said" = 'b true' ] && [ "$(bare timeout 5 loginctl show-user "$LOGIN" --property=Linger --value 2>/dev/null)" != yes ]
}
