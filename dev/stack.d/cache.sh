# shellcheck shell=bash
# The cache: folders of downloaded files outside of the project, each with the checksums of all it holds. A folder is
# there whole or not at all: it is built beside its place and renamed. A damaged one is noticed and built again.

# ensure_cached FOLDER BUILDER: makes FOLDER whole, by `BUILDER EMPTY_FOLDER` where it is not. Scripts that want the
# same folder at the same time wait for the first of them.
ensure_cached() {
  local folder=$1 builder=$2 lock
  if is_whole "$folder"; then return; fi
  mkdir -p "$(dirname -- "$folder")"
  exec {lock}>"$folder.lock"
  flock --nonblock "$lock" || { say "another script is downloading the same, waiting for it" && interruptible flock "$lock"; }
  if ! is_whole "$folder"; then build_cached "$folder" "$builder"; fi
  exec {lock}>&-
}

build_cached() {
  local folder=$1 builder=$2
  if [[ -e $folder ]]; then say "$folder is damaged: building it again"; fi
  rm -rf -- "$folder".partial.*
  PARTIAL_FOLDER=$folder.partial.$$
  mkdir "$PARTIAL_FOLDER"
  "$builder" "$PARTIAL_FOLDER"
  list_checksums "$PARTIAL_FOLDER" >"$PARTIAL_FOLDER/SHA256SUMS"
  rm -rf -- "$folder"
  mv -T -- "$PARTIAL_FOLDER" "$folder"
  rm -rf -- "$PARTIAL_FOLDER".*
  PARTIAL_FOLDER=
}

# is_whole FOLDER: true where FOLDER holds exactly what it was built with.
is_whole() {
  [[ -s $1/SHA256SUMS && $(list_checksums "$1") == "$(<"$1/SHA256SUMS")" ]]
}

# list_checksums FOLDER: one line for each file below FOLDER, sorted, in the format of sha256sum.
list_checksums() (
  cd -- "$1" || exit
  find . -type f ! -path ./SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 --no-run-if-empty sha256sum
)
