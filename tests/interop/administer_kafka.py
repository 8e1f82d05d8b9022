"""Makes users and their rights in Kafka, and takes rights away, with Confluent's client for Python.

Usage: administer_kafka.py BROKERS, with JSON on the standard input:
{"users": {NAME: PASSWORD, …}, "grant": [RIGHT, …], "revoke": [RIGHT, …]}, each RIGHT a list of principal, kind of resource (TOPIC, GROUP),
name and operation. Every user can log in with SCRAM-SHA-256 and SCRAM-SHA-512. Ends when the broker goes by the rights.
"""

import faulthandler
import json
import sys
import time

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

TIMEOUT_SECONDS = 30
PAUSE_SECONDS = 0.02
LIMIT_SECONDS = 120
MECHANISMS = [ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512]


def acl(kind, right):
    principal, resource, name, operation = right
    pattern = (ResourceType[resource], name, ResourcePatternType.LITERAL)
    return kind(*pattern, principal, "*", AclOperation[operation], AclPermissionType.ALLOW)


def wait(futures):
    for future in futures.values():
        future.result(TIMEOUT_SECONDS)


def until_broker_goes_by(admin, right, granted):
    """The controller answers first; the broker, which is who describes them, hears of them after that."""
    while bool(admin.describe_acls(acl(AclBindingFilter, right)).result(TIMEOUT_SECONDS)) != granted:
        time.sleep(PAUSE_SECONDS)


def administer(brokers, orders):
    admin = AdminClient({"bootstrap.servers": brokers})
    users = orders.get("users", {}).items()
    # One request takes one mechanism of a user.
    for mechanism in MECHANISMS if users else []:
        credential = ScramCredentialInfo(mechanism, 4096)
        wait(admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, credential, word.encode()) for name, word in users]))
    grant, revoke = orders.get("grant", []), orders.get("revoke", [])
    if grant:
        wait(admin.create_acls(list({acl(AclBinding, right) for right in grant})))
    if revoke:
        wait(admin.delete_acls([acl(AclBindingFilter, right) for right in revoke]))
    for right in grant:
        until_broker_goes_by(admin, right, granted=True)
    for right in revoke:
        until_broker_goes_by(admin, right, granted=False)


if __name__ == "__main__":
    # Whatever hangs says where, and ends.
    faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True)
    administer(sys.argv[1], json.load(sys.stdin))
