package coop.sahkar.coordinator.state;

import coop.sahkar.proto.tls.Role;

/**
 * A node that has joined.
 *
 * @param role what it is
 * @param id its id, unique among those of its role
 * @param number stands for its key in its certificates; revoking goes by it
 * @param nodeKey its Ed25519 key, X.509 SubjectPublicKeyInfo
 * @param joinedAtMillis Unix time
 */
public record NodeRecord(Role role, String id, long number, Encoded nodeKey, long joinedAtMillis) {
    /** What it is found by. */
    public String key() {
        return key(role, id);
    }

    /** What a node is found by. */
    public static String key(Role role, String id) {
        return role.word() + "/" + id;
    }
}
