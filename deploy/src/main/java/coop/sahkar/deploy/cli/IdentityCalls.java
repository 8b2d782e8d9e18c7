package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.v1.IdentityGrpc;
import coop.sahkar.proto.v1.ListNodesReply;
import coop.sahkar.proto.v1.ListNodesRequest;
import coop.sahkar.proto.v1.NodeReference;
import coop.sahkar.proto.v1.TokenReply;
import coop.sahkar.proto.v1.TokenRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What operators ask coordinators about members. */
record IdentityCalls(List<CoordinatorAddress> coordinators, Membership own) {
    private static final int TIMEOUT_SECONDS = 15;

    void token(Role role, int uses, int minutes, PrintWriter out) {
        TokenRequest request =
                TokenRequest.newBuilder()
                        .setRole(role.toWire())
                        .setUses(uses)
                        .setMinutes(minutes)
                        .build();
        TokenReply reply = ask(stub -> stub.issueToken(request));
        JoinToken token =
                JoinToken.of(
                        reply.getCoordinatorsList(),
                        own.credentials().orElseThrow().authority(),
                        reply.getSecret().toByteArray(),
                        role);
        out.println(token.text());
    }

    void list(PrintWriter out) {
        ListNodesReply reply = ask(stub -> stub.list(ListNodesRequest.getDefaultInstance()));
        Table nodes = new Table("NODE", "JOINED", "KEY");
        reply.getNodesList()
                .forEach(node ->
                        nodes.row(
                                Role.fromWire(node.getNode().getRole()).word()
                                        + "/"
                                        + node.getNode().getId(),
                                Instant.ofEpochMilli(node.getJoinedAtMillis()).toString(),
                                HexFormat.of().formatHex(node.getKeyHash().toByteArray())));
        out.print(nodes);
        reply.getTokensList()
                .forEach(token ->
                        out.println(
                                "A token lets in %d more as %s until %s."
                                        .formatted(
                                                token.getUsesLeft(),
                                                Role.fromWire(token.getRole()).word(),
                                                Instant.ofEpochMilli(token.getExpiresAtMillis()))));
        if (reply.getRevoked() > 0) {
            out.println("Revoked and not yet expired: %d.".formatted(reply.getRevoked()));
        }
    }

    void revoke(Role role, String id) {
        NodeReference node = NodeReference.newBuilder().setRole(role.toWire()).setId(id).build();
        var _ = ask(stub -> stub.revoke(node));
    }

    private <A> A ask(Function<IdentityGrpc.IdentityBlockingStub, A> question) {
        for (CoordinatorAddress address : coordinators) {
            ManagedChannel channel =
                    own.transport().to(address.toString(), PeerRule.COORDINATOR).build();
            try {
                return question.apply(
                        IdentityGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS));
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
                    throw new CommandFailure(
                            ExitCode.FAILED,
                            "The coordinator at %s refuses: %s."
                                    .formatted(address, e.getStatus().getDescription()),
                            e);
                }
            } finally {
                channel.shutdownNow();
            }
        }
        throw PoolCalls.nobody(coordinators);
    }
}
