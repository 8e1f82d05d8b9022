# shellcheck shell=bash
# A stack's folder: what marks it as one, how it is made and removed, and the file `env` that other scripts source.

# is_stack DIR
is_stack() { [[ -n $1 && -f $1/scoresync-stack ]]; }

# create_folder [DIR]: makes an empty folder into a stack's and sets STACK_DIR to its absolute path.
create_folder() {
  if [[ -n ${1:-} ]]; then
    STACK_DIR=$(realpath --canonicalize-missing -- "$1")
    if is_stack "$STACK_DIR"; then die "there is a stack in $STACK_DIR already; end it with: dev/stack down $STACK_DIR"; fi
    # Kafka and PostgreSQL read the path from files in which other characters mean something.
    [[ $STACK_DIR =~ ^[A-Za-z0-9/._\ -]+$ ]] || die "a stack's folder is named with letters, digits, space, '.', '_' and '-' only: $STACK_DIR"
    mkdir -p -- "$STACK_DIR"
    [[ -z $(ls -A -- "$STACK_DIR") ]] || die "$STACK_DIR is not empty"
  else
    STACK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/scoresync-stack.XXXXXX")
  fi
  UNFINISHED_STACK=$STACK_DIR
  touch "$STACK_DIR/scoresync-stack"
  chmod 711 "$STACK_DIR" # the user postgres has to get through
}

# existing_folder [DIR]: sets STACK_DIR to the stack that is meant, the environment's where none is given; or to nothing.
existing_folder() {
  STACK_DIR=${1:-${SCORESYNC_STACK_DIR:-}}
  if [[ -n $STACK_DIR ]]; then STACK_DIR=$(realpath --canonicalize-missing -- "$STACK_DIR"); fi
}

# required_folder DIR: the same, but ends the script where there is no stack.
required_folder() {
  existing_folder "$1"
  is_stack "$STACK_DIR" || die "there is no stack in $STACK_DIR"
}

# write_env DIR: the addresses of all parts, named ones included, which may hold a password.
write_env() {
  local dir=$1 part address
  install -m 600 /dev/null "$dir/env"
  for part in "${PARTS[@]}"; do
    address=$(named_address "$part")
    printf 'export %s=%q\n' "$(variable_of "$part")" "${address:-$("${part}_address" "$dir")}" >>"$dir/env"
  done
  printf 'export SCORESYNC_STACK_DIR=%q\n' "$dir" >>"$dir/env"
}

# remove_stack DIR: stops what runs and removes what the stack has made, then the folder if nothing else is in it.
remove_stack() {
  local dir=$1 part
  for part in "${PARTS[@]}"; do
    if has_part "$dir" "$part"; then stop_process "$dir" "$part" "$("${part}_stop_signal")"; fi
    rm -rf -- "${dir:?}/$part" "$dir/$part.log"
  done
  release_ports "$dir"
  rm -f -- "$dir/env" "$dir/scoresync-stack"
  rmdir -- "$dir" 2>/dev/null || say "$dir holds files that are not the stack's, so it stays"
}
