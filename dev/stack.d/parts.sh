# shellcheck shell=bash
# The parts of a stack, all handled alike. Each has its own file with five functions: PART_prepare (once, before the
# first start), PART_launch, PART_answers, PART_address and PART_stop_signal, all but the last taking the stack's DIR.

# The slowest to start comes first.
readonly PARTS=(registry kafka postgres)
readonly ANSWER_DEADLINE_SECONDS=120

# The part that is being worked on, whose log explains a failure.
SUSPECT_PART=

# variable_of PART: the environment variable that names the part's address, to us and to the programs that use it.
variable_of() {
  case $1 in
    kafka) echo SCORESYNC_KAFKA__BROKERS ;;
    registry) echo SCORESYNC_REGISTRY__URL ;;
    postgres) echo SCORESYNC_ARCHIVE__POSTGRES__URL ;;
    *) die_of_usage "there is no part '$1'; the parts are: ${PARTS[*]}" ;;
  esac
}

# named_address PART: the address that the environment gives for a part, so that the stack starts none; empty otherwise.
named_address() {
  local variable
  variable=$(variable_of "$1")
  printf '%s' "${!variable:-}"
}

# parts_to_start: the parts that the environment does not name.
parts_to_start() {
  local part
  for part in "${PARTS[@]}"; do
    if [[ -z $(named_address "$part") ]]; then echo "$part"; fi
  done
}

# has_part DIR PART: true where the stack runs that part itself.
has_part() { [[ -d $1/$2 ]]; }

require_part() {
  local dir=$1 part=$2
  variable_of "$part" >/dev/null
  has_part "$dir" "$part" || die "the stack in $dir does not run $part itself; the environment named one when it was started"
}

# create_part DIR PART: prepares and launches. `await_parts` then sees it through.
create_part() {
  local dir=$1 part=$2
  SUSPECT_PART=$part
  mkdir "$dir/$part"
  "${part}_prepare" "$dir"
  "${part}_launch" "$dir"
  SUSPECT_PART=
}

# await_parts DIR START_MS PART…: returns when all answer, saying so for each as it does, or ends the script.
await_parts() {
  local dir=$1 start_ms=$2 deadline=$((SECONDS + ANSWER_DEADLINE_SECONDS)) part waiting
  shift 2
  while (($# > 0)); do
    waiting=()
    for part in "$@"; do
      if "${part}_answers" "$dir"; then
        say "$(printf '  %-9s answers after %s s  %s' "$part" "$(seconds_since "$start_ms")" "$("${part}_address" "$dir")")"
      else
        fail_if_hopeless "$dir" "$part" "$deadline"
        waiting+=("$part")
      fi
    done
    set -- "${waiting[@]}"
    if (($# > 0)); then sleep 0.1; fi
  done
}

fail_if_hopeless() {
  local dir=$1 part=$2 deadline=$3
  SUSPECT_PART=$part
  process_of "$dir" "$part" >/dev/null || die "$part has ended instead of answering"
  ((SECONDS <= deadline)) || die "$part does not answer after $ANSWER_DEADLINE_SECONDS s"
  SUSPECT_PART=
}

# explain_failure DIR: names the part that was being worked on when the script failed, and shows the end of its log.
explain_failure() {
  local log=$1/$SUSPECT_PART.log
  if [[ -z $SUSPECT_PART ]]; then return 0; fi
  if [[ -s $log ]]; then
    say "the last lines of $SUSPECT_PART's log:"
    tail -n 20 "$log" | sed 's/^/  | /' >&2
  else
    say "$SUSPECT_PART failed before it wrote a line of log"
  fi
}

start_part() {
  local dir=$1 part=$2 start_ms
  if process_of "$dir" "$part" >/dev/null; then
    say "$part runs already"
    return
  fi
  start_ms=$(now_ms)
  if [[ $part != postgres ]]; then ensure_java && ensure_artefacts; fi
  "${part}_launch" "$dir"
  await_parts "$dir" "$start_ms" "$part"
}

stop_part() {
  local dir=$1 part=$2 start_ms
  start_ms=$(now_ms)
  stop_process "$dir" "$part" "$("${part}_stop_signal")"
  say "$part is stopped, after $(seconds_since "$start_ms") s"
}

kill_part() {
  local dir=$1 part=$2
  kill_process "$dir" "$part"
  say "$part is killed"
}
