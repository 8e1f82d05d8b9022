# shellcheck shell=bash
# The commands of dev/stack, one function each.

# up [DIR]
up() {
  local start_ms part parts
  mapfile -t parts < <(parts_to_start)
  ensure_prerequisites stack
  create_folder "${1:-}"
  for part in "${PARTS[@]}"; do
    if [[ -n $(named_address "$part") ]]; then say "$(printf '  %-9s is named by %s' "$part" "$(variable_of "$part")")"; fi
  done
  if [[ " ${parts[*]} " =~ \ (kafka|registry)\  ]]; then
    ensure_java
    ensure_artefacts
  fi
  say "starting ${parts[*]:-nothing} in $STACK_DIR"
  start_ms=$(now_ms)
  for part in "${parts[@]}"; do create_part "$STACK_DIR" "$part"; done
  await_parts "$STACK_DIR" "$start_ms" "${parts[@]}"
  write_env "$STACK_DIR"
  UNFINISHED_STACK=
  say "use it: source $(printf %q "$STACK_DIR/env")    end it: dev/stack down $(printf %q "$STACK_DIR")"
  echo "$STACK_DIR"
}

# down [DIR]
down() {
  existing_folder "${1:-}"
  if [[ -z $STACK_DIR ]]; then
    say "nothing to end: no folder is given and SCORESYNC_STACK_DIR is not set"
  elif is_stack "$STACK_DIR"; then
    remove_stack "$STACK_DIR"
    say "the stack in $STACK_DIR is gone"
  elif [[ -e $STACK_DIR ]]; then
    die "$STACK_DIR is not a stack's folder"
  else
    say "nothing to end: there is no stack in $STACK_DIR"
  fi
}

# status [DIR]: exits with 0 where every part that the stack runs answers.
status() {
  local part all_answer=true
  existing_folder "${1:-}"
  if [[ -z $STACK_DIR ]]; then die "no folder is given and SCORESYNC_STACK_DIR is not set"; fi
  required_folder "$STACK_DIR"
  echo "$STACK_DIR"
  for part in "${PARTS[@]}"; do
    state_of_part "$STACK_DIR" "$part" || all_answer=false
  done
  $all_answer
}

state_of_part() {
  local dir=$1 part=$2 pid
  if ! has_part "$dir" "$part"; then
    printf '  %-9s is not the stack'\''s: the environment named one\n' "$part"
  elif ! pid=$(process_of "$dir" "$part"); then
    printf '  %-9s is stopped\n' "$part"
    return 1
  elif "${part}_answers" "$dir"; then
    printf '  %-9s answers          process %-8s %s\n' "$part" "$pid" "$("${part}_address" "$dir")"
  else
    printf '  %-9s does not answer  process %-8s %s\n' "$part" "$pid" "$("${part}_address" "$dir")"
    return 1
  fi
}

# for_parts start|stop|kill DIR PART…
for_parts() {
  local action=$1 dir=${2:-} part
  (($# >= 3)) || die_of_usage "'$action' wants the stack's folder and a part: ${PARTS[*]}"
  shift 2
  required_folder "$dir"
  for part in "$@"; do
    require_part "$STACK_DIR" "$part"
    "${action}_part" "$STACK_DIR" "$part"
  done
}
