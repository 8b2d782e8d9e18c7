package coop.sahkar.proto.tls;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Who may be at the other end of a link.
 *
 * @param roles what it may be
 * @param id the only id it may have; empty for any
 */
public record PeerRule(Set<Role> roles, String id) {
    /** Any coordinator. */
    public static final PeerRule COORDINATOR = any(Role.COORDINATOR);

    /** Any worker. */
    public static final PeerRule WORKER = any(Role.WORKER);

    /** Whoever belongs to the co-operative. */
    public static final PeerRule MEMBER = any(Role.values());

    public PeerRule {
        roles = Set.copyOf(roles);
    }

    /** Anybody with one of these roles. */
    public static PeerRule any(Role... roles) {
        Set<Role> all = EnumSet.noneOf(Role.class);
        all.addAll(Arrays.asList(roles));
        return new PeerRule(all, "");
    }

    /** One worker. */
    public static PeerRule worker(String id) {
        return new PeerRule(Set.of(Role.WORKER), id);
    }

    /** Whether it may be that node. */
    public boolean allows(NodeName name) {
        return roles.contains(name.role()) && (id.isEmpty() || id.equals(name.id()));
    }

    /** As sentences name it. */
    @Override
    public String toString() {
        String words = roles.stream().map(Role::word).sorted().collect(Collectors.joining(" or "));
        return id.isEmpty() ? words : words + " " + id;
    }
}
