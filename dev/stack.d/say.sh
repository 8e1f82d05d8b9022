# shellcheck shell=bash
# What the scripts tell people. All of it goes to standard error: standard output is for what other scripts read.

# Nobody listening any more is no reason to leave something half cleaned.
say() { printf '%s\n' "$*" >&2 || true; }

# die MESSAGE: the end of the script, with the reason.
die() {
  say "error: $*"
  exit 1
}

# die_of_usage MESSAGE: the caller asked for something that does not exist.
die_of_usage() {
  say "error: $*"
  say "Try: dev/stack --help"
  exit 2
}

# now_ms, seconds_since NOW_MS: for progress lines.
now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

seconds_since() {
  local took=$(($(now_ms) - $1))
  printf '%d.%d' "$((took / 1000))" "$((took % 1000 / 100))"
}
