package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LedgerHead;
import coop.sahkar.proto.v1.LedgerPart;
import coop.sahkar.proto.v1.LedgerPosting;
import coop.sahkar.proto.v1.LedgerRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Reads the co-operative's books. */
final class LedgerCalls {
    private static final int TIMEOUT_SECONDS = 30;

    private LedgerCalls() {}

    /** The books as the first coordinator that can show them has them; all of one moment. */
    static Books read(
            List<CoordinatorAddress> coordinators, Transport transport, LedgerRequest request) {
        CommandFailure failure = PoolCalls.nobody(coordinators);
        for (CoordinatorAddress address : coordinators) {
            ManagedChannel channel = transport.to(address.toString(), PeerRule.COORDINATOR).build();
            try {
                return read(
                        LedgerGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                                .read(request));
            } catch (StatusRuntimeException e) {
                // Without a cause it is an answer: the coordinator is there and knows no majority.
                boolean away =
                        e.getStatus().getCode() == Status.Code.UNAVAILABLE
                                && e.getStatus().getCause() != null;
                failure = away ? failure : refused(address, e);
            } finally {
                channel.shutdownNow();
            }
        }
        throw failure;
    }

    private static CommandFailure refused(CoordinatorAddress address, StatusRuntimeException e) {
        return new CommandFailure(
                ExitCode.FAILED,
                "The coordinator at %s cannot show its books: %s"
                        .formatted(address, e.getStatus().getDescription()),
                e);
    }

    private static Books read(Iterator<LedgerPart> parts) {
        LedgerPart.Builder all = LedgerPart.newBuilder();
        while (parts.hasNext()) {
            all.mergeFrom(parts.next());
        }
        return new Books(all.getHead(), all.getAccountsList(), all.getPostingsList());
    }

    /**
     * The books, or what was wanted of them.
     *
     * @param accounts by name
     * @param postings oldest first
     */
    record Books(LedgerHead head, List<LedgerAccount> accounts, List<LedgerPosting> postings) {}
}
