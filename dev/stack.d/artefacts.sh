# shellcheck shell=bash
# Kafka's jars and the registry's archive: fetched by Maven in the versions of pom.xml, accepted only with the
# checksums recorded beside it, kept in the cache.

# ensure_artefacts: sets ARTEFACTS to a folder with `kafka/*.jar` and `registry/quarkus-run.jar`. Needs JAVA.
ensure_artefacts() {
  ARTEFACTS=$(artefacts_folder)
  ensure_cached "$ARTEFACTS" fetch_artefacts
}

# Other versions live in another folder: two checkouts of the project do not disturb each other.
artefacts_folder() {
  local wanted
  wanted=$(cat "$STACK_HOME/pom.xml" "$STACK_HOME/checksums.sha256" | sha256sum)
  echo "$CACHE/artefacts-${wanted:0:16}"
}

fetch_artefacts() {
  local folder=$1
  download_artefacts "$folder"
  list_checksums "$folder" | diff "$STACK_HOME/checksums.sha256" - >&2 ||
    die "what was downloaded is not what dev/stack.d/checksums.sha256 lists (the lines with > came, those with < should have)"
  tar -xzf "$folder"/registry/*.tar.gz -C "$folder/registry"
  rm -- "$folder"/registry/*.tar.gz
}

# A repository of its own, because a damaged file in the user's would come back at every attempt. Maven's own choice of
# a Java comes before ours, because the system's knows which certificates are trusted here.
download_artefacts() {
  local folder=$1 java_home=()
  if ! mvn --version >/dev/null 2>&1; then java_home=("JAVA_HOME=$(dirname -- "$(dirname -- "$JAVA")")"); fi
  say "downloading Kafka and the registry (200 MB, only this once)"
  interruptible env "${java_home[@]}" mvn --batch-mode --quiet --no-transfer-progress --strict-checksums \
    --file "$STACK_HOME/pom.xml" "-Dmaven.repo.local=$folder.maven" "-Dstack.folder=$folder" package >"$folder.log" 2>&1 ||
    { tail -n 20 "$folder.log" >&2 && die "Maven cannot download Kafka and the registry"; }
}

# record_checksums: writes checksums.sha256 anew, for whoever has changed a version in pom.xml and reviews the result.
record_checksums() {
  ensure_java
  mkdir -p "$CACHE"
  PARTIAL_FOLDER=$(mktemp -d "$CACHE/record.XXXXXX")
  download_artefacts "$PARTIAL_FOLDER"
  list_checksums "$PARTIAL_FOLDER" >"$STACK_HOME/checksums.sha256"
  say "recorded $(wc -l <"$STACK_HOME/checksums.sha256") files in dev/stack.d/checksums.sha256"
}
