package coop.sahkar.coordinator.state;

import coop.sahkar.proto.tls.Role;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who belongs to the co-operative, and who may join it. A node stands here from its joining until
 * it is revoked, whether or not it has a certificate that is in time.
 *
 * @param tokens tokens that were not used up, by the hash of their secret in hexadecimal digits
 * @param nodes enrolled nodes, by role and id as in {@link NodeRecord#key()}
 * @param revoked numbers of revoked enrolments, each with the Unix time in milliseconds by which
 *     all its certificates have expired
 */
public record Membership(
        SortedMap<String, JoinTokenRecord> tokens,
        SortedMap<String, NodeRecord> nodes,
        SortedMap<Long, Long> revoked) {
    /** Nobody. */
    public static final Membership EMPTY =
            new Membership(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());

    public Membership {
        tokens = Collections.unmodifiableSortedMap(new TreeMap<>(tokens));
        nodes = Collections.unmodifiableSortedMap(new TreeMap<>(nodes));
        revoked = Collections.unmodifiableSortedMap(new TreeMap<>(revoked));
    }

    /** The same, none of its nodes with that role. */
    public Membership without(Role role) {
        SortedMap<String, NodeRecord> others = new TreeMap<>(nodes);
        others.values().removeIf(node -> node.role() == role);
        return new Membership(tokens, others, revoked);
    }
}
