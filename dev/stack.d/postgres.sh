# shellcheck shell=bash
# PostgreSQL: a cluster of its own, reachable on 127.0.0.1 and through a socket in the stack's folder, without
# passwords. fsync stays on, because a test that kills the server means it. `scoresync` owns the database of the same
# name and may create others; `postgres` is the superuser.

postgres_stop_signal() { echo INT; } # a fast shutdown: sessions are cut, data is written

postgres_address() { echo "postgresql://scoresync@127.0.0.1:$(<"$1/postgres/port")/scoresync"; }

# postgres_binaries: prints the folder of `postgres` and `initdb`, the newest that Debian's layout or the PATH has.
postgres_binaries() {
  local found
  found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort --version-sort | tail -n 1)
  if [[ ! -x $found ]]; then found=$(command -v initdb) || return 1; fi
  dirname -- "$(realpath -- "$found")"
}

# PostgreSQL refuses to run as root; Debian's package brings a user for it. A prefix for commands, empty for other users.
AS_POSTGRES_USER=()
if ((EUID == 0)); then AS_POSTGRES_USER=(setpriv --reuid=postgres --regid=postgres --init-groups --); fi
readonly AS_POSTGRES_USER

postgres_prepare() {
  local dir=$1 binaries data=$1/postgres/data
  binaries=$(postgres_binaries)
  if ((EUID == 0)); then chown postgres: "$dir/postgres"; fi
  "${AS_POSTGRES_USER[@]}" test -w "$dir/postgres" || die "the user postgres cannot reach $dir; choose a folder below /tmp"
  reserve_port "$dir" >"$dir/postgres/port"
  interruptible "${AS_POSTGRES_USER[@]}" "$binaries/initdb" "--pgdata=$data" --username=postgres --auth=trust \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions >>"$dir/postgres.log" 2>&1
  postgres_settings "$dir" >>"$data/postgresql.conf"
  printf '%s\n' 'local all all trust' 'host all all 127.0.0.1/32 trust' >"$data/pg_hba.conf"
  printf '%s\n' 'create role scoresync login createdb' 'create database scoresync owner scoresync' |
    "${AS_POSTGRES_USER[@]}" "$binaries/postgres" --single -D "$data" postgres >>"$dir/postgres.log" 2>&1
}

postgres_settings() {
  local dir=$1 sockets=$1/postgres
  # sun_path of unix(7) has 108 bytes; a server with a longer path does not start at all.
  if ((${#sockets} > 85)); then sockets=; fi
  cat <<SETTINGS
listen_addresses = '127.0.0.1'
port = $(<"$dir/postgres/port")
unix_socket_directories = '$sockets'
max_connections = 100
fsync = on
timezone = 'UTC'
log_timezone = 'UTC'
SETTINGS
}

postgres_launch() {
  local dir=$1 binaries
  binaries=$(postgres_binaries)
  launch "$dir" postgres "${AS_POSTGRES_USER[@]}" "$binaries/postgres" -D "$dir/postgres/data"
}

postgres_answers() {
  local binaries
  binaries=$(postgres_binaries)
  [[ $(timeout 2 "$binaries/psql" --no-psqlrc --tuples-only --no-align --command 'select 1' \
    "$(postgres_address "$1")" 2>/dev/null) == 1 ]]
}
