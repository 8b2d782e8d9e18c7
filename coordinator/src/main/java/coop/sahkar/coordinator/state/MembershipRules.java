package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.proto.Limits;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** How members come and go: a part of {@link Transition}, and as pure. */
public final class MembershipRules {
    /** Tokens that may be open at once. */
    public static final int MAX_TOKENS = 1000;

    /** Nodes that may have joined. */
    public static final int MAX_NODES = 20_000;

    /** Revoked enrolments that are watched for. */
    public static final int MAX_REVOKED = 20_000;

    /** How many may join with one token. */
    public static final int MAX_USES = 10_000;

    private static final int HASH_DIGITS = 64;
    private static final int MAX_KEY_BYTES = 256;

    private MembershipRules() {}

    static Step issue(PoolState state, IssueToken issue) {
        Membership members = state.members();
        JoinTokenRecord token = issue.token();
        if (token.hash().length() != HASH_DIGITS
                || token.usesLeft() < 1
                || token.usesLeft() > MAX_USES
                || token.expiresAtMillis() <= issue.nowMillis()) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "a token lets in 1 to %s nodes until a time to come".formatted(MAX_USES));
        }
        SortedMap<String, JoinTokenRecord> tokens = new TreeMap<>(members.tokens());
        tokens.values().removeIf(t -> t.expiresAtMillis() <= issue.nowMillis());
        tokens.put(token.hash(), token);
        if (tokens.size() > MAX_TOKENS) {
            return Step.refuse(
                    state,
                    Reason.FULL,
                    "%s tokens are open already; wait until some expire".formatted(MAX_TOKENS));
        }
        return Step.to(
                StateChange.members(
                        state, new Membership(tokens, members.nodes(), members.revoked())));
    }

    static Step enrol(PoolState state, EnrolNode enrol) {
        Optional<Refusal> refusal = problem(state.members(), enrol);
        if (refusal.isPresent()) {
            return new Step(state, refusal.get());
        }
        Membership members = state.members();
        NodeRecord node = enrol.node();
        SortedMap<String, NodeRecord> nodes = new TreeMap<>(members.nodes());
        NodeRecord known = nodes.get(node.key());
        nodes.put(node.key(), known == null ? node : known);
        SortedMap<String, JoinTokenRecord> tokens = new TreeMap<>(members.tokens());
        JoinTokenRecord token = tokens.remove(enrol.tokenHash());
        if (token != null && token.usesLeft() > 1) {
            tokens.put(token.hash(), token.used());
        }
        return Step.to(
                StateChange.members(state, new Membership(tokens, nodes, members.revoked())));
    }

    /** Why a node may not join; empty if it may. Also asked before anything is written. */
    public static Optional<Refusal> problem(Membership members, EnrolNode enrol) {
        NodeRecord node = enrol.node();
        int keyBytes = node.nodeKey().bytes().length;
        if (node.id().isEmpty()
                || node.id().length() > Limits.MAX_WORKER_ID
                || keyBytes == 0
                || keyBytes > MAX_KEY_BYTES) {
            return refusal(Reason.INVALID, "a node needs an id and a key");
        }
        if (!enrol.tokenHash().isEmpty()) {
            JoinTokenRecord token = members.tokens().get(enrol.tokenHash());
            if (token == null || token.expiresAtMillis() <= node.joinedAtMillis()) {
                return refusal(
                        Reason.NOT_FOUND,
                        "the token is not known here, or used up, or its time is over; ask for another");
            }
            if (token.role() != node.role()) {
                return refusal(
                        Reason.INVALID,
                        "the token is for a %s, not for a %s"
                                .formatted(token.role().word(), node.role().word()));
            }
        }
        NodeRecord known = members.nodes().get(node.key());
        if (known != null && !known.nodeKey().equals(node.nodeKey())) {
            return refusal(
                    Reason.INVALID,
                    "another node is %s %s already; take another id, or revoke that one first"
                            .formatted(node.role().word(), node.id()));
        }
        if (members.revoked().containsKey(node.number())) {
            return refusal(
                    Reason.INVALID,
                    "the certificate of %s %s was revoked"
                            .formatted(node.role().word(), node.id()));
        }
        return known == null && members.nodes().size() >= MAX_NODES
                ? refusal(Reason.FULL, "%s nodes have joined already".formatted(MAX_NODES))
                : Optional.empty();
    }

    private static Optional<Refusal> refusal(Reason reason, String message) {
        return Optional.of(new Refusal(reason, message));
    }

    static Step revoke(PoolState state, RevokeNode revoke) {
        Membership members = state.members();
        SortedMap<String, NodeRecord> nodes = new TreeMap<>(members.nodes());
        NodeRecord node = nodes.remove(NodeRecord.key(revoke.role(), revoke.id()));
        if (node == null) {
            return Step.refuse(
                    state,
                    Reason.NOT_FOUND,
                    "no %s is called %s".formatted(revoke.role().word(), revoke.id()));
        }
        SortedMap<Long, Long> revoked = new TreeMap<>(members.revoked());
        revoked.values().removeIf(until -> until <= revoke.nowMillis());
        revoked.put(node.number(), revoke.untilMillis());
        if (revoked.size() > MAX_REVOKED) {
            return Step.refuse(
                    state,
                    Reason.FULL,
                    "%s certificates are revoked already; wait until some expire"
                            .formatted(MAX_REVOKED));
        }
        return Step.to(
                StateChange.members(state, new Membership(members.tokens(), nodes, revoked)));
    }
}
