package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.governance.ledger.AccountName;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LedgerPart;
import coop.sahkar.proto.v1.LedgerRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** Shows the books. A read of the latest waits for a majority, any other answers from memory. */
public final class LedgerService extends LedgerGrpc.LedgerImplBase {
    private final ReplicatedLog log;

    public LedgerService(ReplicatedLog log) {
        this.log = log;
    }

    @Override
    public void read(LedgerRequest request, StreamObserver<LedgerPart> out) {
        if (!request.getAccount().isEmpty() && !AccountName.valid(request.getAccount())) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription("no account of the ledger can be called so")
                            .asRuntimeException());
            return;
        }
        PoolState state;
        try {
            state = request.getLatest() ? log.latest() : log.state();
        } catch (LogUnavailableException e) {
            out.onError(Status.UNAVAILABLE.withDescription(e.getMessage()).asRuntimeException());
            return;
        }
        new LedgerPages(state, request).forEach(out::onNext);
        out.onCompleted();
    }
}
