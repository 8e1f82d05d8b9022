# shellcheck shell=bash
# Processes: started so that they outlive the script, known by process id *and* start time, so that an id which the
# system has given to somebody else is never signalled. Nothing is ever looked for by name.

readonly STOP_DEADLINE_SECONDS=30

# What `clean_up` has to undo if the script ends now; the files that do the work set and clear these.
PARTIAL_FOLDER=
UNFINISHED_STACK=

# interruptible COMMAND…: runs a long command so that a signal to this script takes effect at once, not after it.
interruptible() {
  "$@" &
  wait "$!"
}

# clean_up: for a script's EXIT trap. Ends what runs in the foreground of our work, then removes what is half done.
# Another Ctrl-C does not cut it short.
clean_up() {
  trap '' INT TERM HUP PIPE
  end_children
  if [[ -n $PARTIAL_FOLDER ]]; then rm -rf -- "$PARTIAL_FOLDER" "$PARTIAL_FOLDER".*; fi
  if [[ -n $UNFINISHED_STACK ]]; then remove_stack "$UNFINISHED_STACK"; fi
}

# A child that the script has not disowned is a command of `interruptible`, or a part that was being launched just now.
end_children() {
  local child deadline=$((SECONDS + 5))
  for child in $(jobs -p); do
    kill "$child" 2>/dev/null || true
    while [[ -n $(start_time_of "$child") ]]; do
      if ((SECONDS > deadline)); then kill -KILL "$child" 2>/dev/null || true; fi
      sleep 0.05
    done
  done
}

# launch DIR PART COMMAND…: starts a part as the leader of its own session, its output in DIR/PART.log.
launch() {
  local dir=$1 part=$2
  shift 2
  (
    close_inherited_files
    exec setsid "$@" </dev/null >>"$dir/$part.log" 2>&1
  ) &
  local pid=$!
  start_time_of "$pid" >"$dir/$part/start_time"
  echo "$pid" >"$dir/$part.pid"
  disown "$pid"
}

# A lock or pipe of whoever called us would otherwise stay open for as long as the part lives.
close_inherited_files() {
  local file number
  for file in "/proc/$BASHPID/fd"/*; do
    number=${file##*/}
    if ((number > 2)); then eval "exec $number>&-"; fi
  done
}

# start_time_of PID: clock ticks since boot, field 22 of proc(5)'s stat; empty for a process that is gone or a zombie.
start_time_of() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -ra fields <<<"${stat##*) }"
  if [[ ${fields[0]} != Z ]]; then echo "${fields[19]}"; fi
}

# process_of DIR PART: prints the part's process id if that process is still ours, and fails otherwise.
process_of() {
  local dir=$1 part=$2 pid start_time
  [[ -s $dir/$part.pid && -s $dir/$part/start_time ]] || return 1
  pid=$(<"$dir/$part.pid")
  start_time=$(start_time_of "$pid")
  [[ -n $start_time && $start_time == "$(<"$dir/$part/start_time")" ]] || return 1
  echo "$pid"
}

# stop_process DIR PART SIGNAL: asks politely, insists after a deadline. Also ends a process that somebody has frozen.
stop_process() {
  local dir=$1 part=$2 signal=$3 pid
  if pid=$(process_of "$dir" "$part"); then
    kill "-$signal" "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
    if ! process_has_gone "$dir" "$part" "$STOP_DEADLINE_SECONDS"; then
      say "$part did not stop within $STOP_DEADLINE_SECONDS s, so it is killed"
      kill_process "$dir" "$part"
    fi
  fi
  rm -f -- "$dir/$part.pid"
}

# kill_process DIR PART: SIGKILL to the part and its children, at one moment: frozen first, it can start no new ones.
kill_process() {
  local dir=$1 part=$2 pid children
  if pid=$(process_of "$dir" "$part"); then
    kill -STOP "$pid" 2>/dev/null || true
    children=$(cat "/proc/$pid/task"/*/children 2>/dev/null || true)
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL "$pid" $children 2>/dev/null || true
    process_has_gone "$dir" "$part" "$STOP_DEADLINE_SECONDS" || die "$part (process $pid) survives SIGKILL"
  fi
  rm -f -- "$dir/$part.pid"
}

process_has_gone() {
  local dir=$1 part=$2 deadline=$((SECONDS + $3))
  while process_of "$dir" "$part" >/dev/null; do
    if ((SECONDS > deadline)); then return 1; fi
    sleep 0.05
  done
}
