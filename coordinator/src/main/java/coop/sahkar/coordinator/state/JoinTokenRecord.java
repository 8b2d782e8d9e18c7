package coop.sahkar.coordinator.state;

import coop.sahkar.proto.tls.Role;

/**
 * A token with which nodes may join. Its secret is not known here.
 *
 * @param hash SHA-256 of the secret, in hexadecimal digits
 * @param role what who joins becomes
 * @param usesLeft how many may still join
 * @param expiresAtMillis Unix time after which nobody may
 */
public record JoinTokenRecord(String hash, Role role, int usesLeft, long expiresAtMillis) {
    JoinTokenRecord used() {
        return new JoinTokenRecord(hash, role, usesLeft - 1, expiresAtMillis);
    }
}
