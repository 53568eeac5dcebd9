# A bare host's part in a look at all that a Cluster needs; the functions are those of its probe.
# Needs: ends_at_logout, look_at_tools, stays_in_scope.
# Gives: look_at_scheduler (says what it is, and whether it can be used).

look_at_scheduler() {
  say step tools
  ( look_at_tools; say tools )
  say step logout
  systemd='' linger=''
  [ -d /run/systemd/system ] && systemd=1
  [ -e "/var/lib/systemd/linger/$LOGIN" ] && linger=1
  say systemd "$systemd" "$linger"
  ( ends_at_logout || exit 0; say ends-at-logout; stays_in_scope; say stays-in-scope )
  say step processes
  say means "$(found_by)"
  say step size
  say size "$(nproc 2>/dev/null)" "$(command -v nvidia-smi >/dev/null 2>&1 && timeout -k 2 20 nvidia-smi -L 2>/dev/null | grep -c '^GPU ')"
}

# found_by: how a Run's processes would be found here.
found_by() {
  if own_systemd; then echo SystemdScope; elif own_group 2>/dev/null; then echo Cgroup; else echo LinuxProc; fi
}
