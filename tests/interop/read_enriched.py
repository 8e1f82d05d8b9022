"""Reads scores.enriched with Confluent's client for Python, which shares no code with scoresync, and prints it as JSON.

Usage: read_enriched.py BROKERS REGISTRY_URL TOPIC
"""

import datetime
import decimal
import faulthandler
import json
import sys
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

TIMEOUT_SECONDS = 30
LIMIT_SECONDS = 120


def plain(value):
    """Numbers that JSON would round, times and bytes as texts that say the same."""
    if isinstance(value, decimal.Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return value


def read(brokers, registry_url, topic):
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": "interop", "enable.auto.commit": False, "auto.offset.reset": "error"}
    )
    registry = SchemaRegistryClient({"url": registry_url, "timeout": TIMEOUT_SECONDS})
    # Named, because the client's default asks the registry for associations, which Apicurio 3.3 does not have and about
    # once in a thousand times never says so.
    deserialise = AvroDeserializer(registry, conf={"subject.name.strategy": topic_subject_name_strategy})
    partitions = consumer.list_topics(topic, TIMEOUT_SECONDS).topics[topic].partitions
    places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]
    left = sum(high - low for low, high in (consumer.get_watermark_offsets(place, TIMEOUT_SECONDS) for place in places))
    consumer.assign(places)
    records = []
    while left > 0:
        message = consumer.poll(TIMEOUT_SECONDS)
        if message is None or message.error():
            sys.exit(f"{left} records of {topic} cannot be read: {message and message.error()}")
        value = deserialise(message.value(), SerializationContext(topic, MessageField.VALUE))
        records.append({"key": message.key().decode(), "headers": message.headers() or [], "value": plain(value)})
        left -= 1
    consumer.close()
    return records


if __name__ == "__main__":
    # Whatever hangs says where, and ends.
    faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True)
    json.dump(read(*sys.argv[1:]), sys.stdout)
