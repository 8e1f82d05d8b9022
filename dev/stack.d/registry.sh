# shellcheck shell=bash
# The schema registry (Apicurio). It keeps everything in memory: after a stop it has forgotten all schemas and ids.

registry_stop_signal() { echo TERM; }

# registry_address DIR: the Confluent-compatible API, which is what clients are given.
registry_address() { echo "http://127.0.0.1:$(<"$1/registry/port")/apis/ccompat/v7"; }

registry_prepare() {
  local dir=$1
  reserve_port "$dir" >"$dir/registry/port"
  reserve_port "$dir" >"$dir/registry/management_port"
}

registry_launch() {
  local dir=$1
  launch "$dir" registry "$JAVA" -Xmx384m \
    -Dquarkus.http.host=127.0.0.1 "-Dquarkus.http.port=$(<"$dir/registry/port")" \
    -Dquarkus.management.host=127.0.0.1 "-Dquarkus.management.port=$(<"$dir/registry/management_port")" \
    -jar "$ARTEFACTS/registry/quarkus-run.jar"
}

registry_answers() {
  curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null "$(registry_address "$1")/subjects"
}
