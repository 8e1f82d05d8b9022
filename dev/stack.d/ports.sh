# shellcheck shell=bash
# Ports: free when chosen, and kept for their stack until it goes down, so that a part which is stopped for a while
# finds its port again. They lie below the range from which systems take ports for outgoing connections.

readonly FIRST_PORT=20000 PORT_COUNT=10000

# reserve_port DIR: prints a port that is from now on reserved for the stack in DIR.
reserve_port() {
  local dir=$1 attempt port lock
  mkdir -p "$CACHE/ports"
  exec {lock}>"$CACHE/ports/lock"
  flock "$lock"
  for ((attempt = 0; attempt < PORT_COUNT; attempt++)); do
    port=$((FIRST_PORT + SRANDOM % PORT_COUNT))
    if ! port_is_reserved "$port" && ! port_is_in_use "$port"; then
      echo "$dir" >"$CACHE/ports/$port"
      echo "$port"
      break
    fi
  done
  exec {lock}>&-
}

# release_ports DIR: gives back whatever the stack in DIR had reserved.
release_ports() {
  local dir=$1 reservation
  for reservation in "$CACHE/ports"/[0-9]*; do
    if [[ -f $reservation && $(<"$reservation") == "$dir" ]]; then rm -f -- "$reservation"; fi
  done
}

# A reservation whose stack has vanished without `down` counts no more.
port_is_reserved() {
  local reservation=$CACHE/ports/$1
  [[ -f $reservation ]] && is_stack "$(<"$reservation")"
}

# Reads the system's tables instead of trying to connect: they also know a port that is bound and does not listen yet.
port_is_in_use() {
  local hexadecimal
  printf -v hexadecimal ':%04X ' "$1"
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -qF "$hexadecimal"
}
