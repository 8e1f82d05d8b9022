# shellcheck shell=bash
# Kafka: one node that is broker and controller, without security, with settings for one node only. The session of the
# broker with its own controller is shorter than usual, because after a kill -9 nothing answers until it has ended.

kafka_stop_signal() { echo TERM; }

# kafka_address DIR: what clients are given.
kafka_address() { echo "127.0.0.1:$(<"$1/kafka/port")"; }

kafka_prepare() {
  local dir=$1
  reserve_port "$dir" >"$dir/kafka/port"
  reserve_port "$dir" >"$dir/kafka/controller_port"
  if [[ -n ${STACK_KAFKA_GATE:-} ]]; then reserve_port "$dir" >"$dir/kafka/gated_port"; fi
  kafka_properties "$dir" >"$dir/kafka/server.properties"
  interruptible "$JAVA" -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$STACK_HOME/log4j2.xml" \
    -cp "$ARTEFACTS/kafka/*" kafka.tools.StorageTool format \
    --cluster-id "$(random_cluster_id)" --config "$dir/kafka/server.properties" >>"$dir/kafka.log" 2>&1
}

# 16 random bytes in base64 without padding, as Kafka writes a UUID, and without the signs that are special somewhere.
random_cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '='; }

kafka_properties() {
  local dir=$1 controller listeners advertised protocols
  listeners=PLAINTEXT://$(kafka_address "$dir")
  advertised=$listeners
  protocols=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
  if [[ -s $dir/kafka/gated_port ]]; then
    listeners+=,GATED://127.0.0.1:$(<"$dir/kafka/gated_port")
    advertised+=,GATED://$STACK_KAFKA_GATE
    protocols+=,GATED:PLAINTEXT
  fi
  controller=127.0.0.1:$(<"$dir/kafka/controller_port")
  cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$controller
controller.listener.names=CONTROLLER
listeners=$listeners,CONTROLLER://$controller
advertised.listeners=$advertised
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=$protocols
log.dirs=$dir/kafka/data
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
PROPERTIES
}

kafka_launch() {
  local dir=$1
  launch "$dir" kafka "$JAVA" -Xmx512m "-Dlog4j2.configurationFile=$STACK_HOME/log4j2.xml" \
    -cp "$ARTEFACTS/kafka/*" kafka.Kafka "$dir/kafka/server.properties"
}

# kafka_answers DIR: asks for metadata (key 3, version 1, no topics) and expects a broker in the answer. The port opens
# before that, and a broker that has not joined its own cluster yet answers without naming itself.
kafka_answers() {
  local answer
  # shellcheck disable=SC2016 # the inner shell expands it
  answer=$(timeout 2 bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1" &&
      printf "\0\0\0\016\0\003\0\001\0\0\0\001\377\377\0\0\0\0" >&3 &&
      head -c 12 <&3 | od -An -v -tu1' - "$(<"$1/kafka/port")" 2>/dev/null) || return 1
  # length (4 bytes), correlation id (4 bytes), number of brokers (4 bytes)
  [[ $answer =~ \ 0\ +0\ +0\ +1\ +0\ +0\ +0\ +[1-9][0-9]*$ ]]
}
