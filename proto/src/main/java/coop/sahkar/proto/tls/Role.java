package coop.sahkar.proto.tls;

import coop.sahkar.proto.v1.NodeRole;
import java.util.Locale;
import java.util.Optional;

/** What a node may be. */
public enum Role {
    /** Decides, keeps the log, calls heads. */
    COORDINATOR(1),
    /** Lends a machine. */
    WORKER(2),
    /** Publishes models. */
    CLIENT(3);

    private final int number;

    Role(int number) {
        this.number = number;
    }

    /** Its number in logs and on the wire. */
    public int number() {
        return number;
    }

    /** As certificates spell it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The role of a number; empty if there is none. */
    public static Optional<Role> of(int number) {
        for (Role role : values()) {
            if (role.number == number) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }

    static Optional<Role> ofWord(String word) {
        for (Role role : values()) {
            if (role.word().equals(word)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }

    /** The role as it travels. */
    public NodeRole toWire() {
        return switch (this) {
            case COORDINATOR -> NodeRole.NODE_ROLE_COORDINATOR;
            case WORKER -> NodeRole.NODE_ROLE_WORKER;
            case CLIENT -> NodeRole.NODE_ROLE_CLIENT;
        };
    }

    /**
     * Reads a role that came over the wire.
     *
     * @throws IllegalArgumentException if it is none that is known here
     */
    public static Role fromWire(NodeRole wire) {
        return switch (wire) {
            case NODE_ROLE_COORDINATOR -> COORDINATOR;
            case NODE_ROLE_WORKER -> WORKER;
            case NODE_ROLE_CLIENT -> CLIENT;
            case NODE_ROLE_UNSPECIFIED, UNRECOGNIZED ->
                    throw new IllegalArgumentException("a node is a coordinator, worker or client");
        };
    }
}
