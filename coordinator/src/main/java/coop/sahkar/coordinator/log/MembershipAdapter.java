package coop.sahkar.coordinator.log;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.JoinTokenRecord;
import coop.sahkar.coordinator.state.Membership;
import coop.sahkar.coordinator.state.NodeRecord;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.v1.EnrolEntry;
import coop.sahkar.proto.v1.EnrolmentEntry;
import coop.sahkar.proto.v1.JoinTokenEntry;
import coop.sahkar.proto.v1.PoolSnapshot;
import coop.sahkar.proto.v1.RevokeEntry;
import coop.sahkar.proto.v1.RevokedEntry;
import java.util.HexFormat;
import java.util.SortedMap;
import java.util.TreeMap;

/** Members and tokens as bytes of log and snapshots, there and back. */
final class MembershipAdapter {
    private MembershipAdapter() {}

    static JoinTokenEntry write(IssueToken issue) {
        return write(issue.token()).setNowMillis(issue.nowMillis()).build();
    }

    static IssueToken readIssue(JoinTokenEntry entry) {
        return new IssueToken(read(entry), entry.getNowMillis());
    }

    private static JoinTokenEntry.Builder write(JoinTokenRecord token) {
        return JoinTokenEntry.newBuilder()
                .setHash(hash(token.hash()))
                .setRole(token.role().number())
                .setUsesLeft(token.usesLeft())
                .setExpiresAtMillis(token.expiresAtMillis());
    }

    private static JoinTokenRecord read(JoinTokenEntry entry) {
        return new JoinTokenRecord(
                hash(entry.getHash()),
                role(entry.getRole()),
                entry.getUsesLeft(),
                entry.getExpiresAtMillis());
    }

    static EnrolEntry write(EnrolNode enrol) {
        return EnrolEntry.newBuilder()
                .setEnrolment(write(enrol.node()))
                .setTokenHash(hash(enrol.tokenHash()))
                .build();
    }

    static EnrolNode read(EnrolEntry entry) {
        return new EnrolNode(read(entry.getEnrolment()), hash(entry.getTokenHash()));
    }

    private static EnrolmentEntry write(NodeRecord node) {
        return EnrolmentEntry.newBuilder()
                .setRole(node.role().number())
                .setId(node.id())
                .setNumber(node.number())
                .setNodeKey(ByteString.copyFrom(node.nodeKey().bytes()))
                .setJoinedAtMillis(node.joinedAtMillis())
                .build();
    }

    private static NodeRecord read(EnrolmentEntry entry) {
        return new NodeRecord(
                role(entry.getRole()),
                entry.getId(),
                entry.getNumber(),
                new Encoded(entry.getNodeKey().toByteArray()),
                entry.getJoinedAtMillis());
    }

    static RevokeEntry write(RevokeNode revoke) {
        return RevokeEntry.newBuilder()
                .setRole(revoke.role().number())
                .setId(revoke.id())
                .setNowMillis(revoke.nowMillis())
                .setUntilMillis(revoke.untilMillis())
                .build();
    }

    static RevokeNode read(RevokeEntry entry) {
        return new RevokeNode(
                role(entry.getRole()), entry.getId(), entry.getNowMillis(), entry.getUntilMillis());
    }

    static void write(Membership members, PoolSnapshot.Builder snapshot) {
        members.tokens().values().forEach(t -> snapshot.addJoinTokens(write(t)));
        members.nodes().values().forEach(n -> snapshot.addEnrolments(write(n)));
        members.revoked()
                .forEach((number, until) ->
                        snapshot.addRevoked(
                                RevokedEntry.newBuilder().setNumber(number).setUntilMillis(until)));
    }

    static Membership read(PoolSnapshot snapshot) {
        SortedMap<String, JoinTokenRecord> tokens = new TreeMap<>();
        snapshot.getJoinTokensList().stream()
                .map(MembershipAdapter::read)
                .forEach(t -> tokens.put(t.hash(), t));
        SortedMap<String, NodeRecord> nodes = new TreeMap<>();
        snapshot.getEnrolmentsList().stream()
                .map(MembershipAdapter::read)
                .forEach(n -> nodes.put(n.key(), n));
        SortedMap<Long, Long> revoked = new TreeMap<>();
        snapshot.getRevokedList().forEach(r -> revoked.put(r.getNumber(), r.getUntilMillis()));
        return new Membership(tokens, nodes, revoked);
    }

    private static Role role(int number) {
        return Role.of(number)
                .orElseThrow(() -> new LogFormatException("an entry names role " + number));
    }

    private static ByteString hash(String digits) {
        return ByteString.copyFrom(HexFormat.of().parseHex(digits));
    }

    private static String hash(ByteString bytes) {
        return HexFormat.of().formatHex(bytes.toByteArray());
    }
}
