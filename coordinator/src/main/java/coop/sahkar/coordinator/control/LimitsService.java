package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.limits.LocalAllowances;
import coop.sahkar.coordinator.limits.Settlement;
import coop.sahkar.coordinator.limits.Wish;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.proto.v1.CoordinatorPass;
import coop.sahkar.proto.v1.LimitsGrpc;
import coop.sahkar.proto.v1.SettleReply;
import coop.sahkar.proto.v1.SettleRequest;
import coop.sahkar.proto.v1.TakeReply;
import coop.sahkar.proto.v1.TakeRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** What this coordinator counts, for the other coordinators while it leads. */
final class LimitsService extends LimitsGrpc.LimitsImplBase {
    private final ReplicatedLog log;
    private final LocalAllowances own;
    private final CoordinatorPasses passes;

    LimitsService(ReplicatedLog log, LocalAllowances own, CoordinatorPasses passes) {
        this.log = log;
        this.own = own;
        this.passes = passes;
    }

    @Override
    public void take(TakeRequest request, StreamObserver<TakeReply> out) {
        answer(
                request.getPass(),
                out,
                () -> {
                    Wish wish = LimitsAdapter.read(request);
                    return log.leads()
                            ? LimitsAdapter.write(own.decide(wish))
                            : TakeReply.getDefaultInstance();
                });
    }

    @Override
    public void settle(SettleRequest request, StreamObserver<SettleReply> out) {
        answer(
                request.getPass(),
                out,
                () -> {
                    Settlement end = LimitsAdapter.read(request);
                    own.settle(end);
                    return SettleReply.getDefaultInstance();
                });
    }

    private interface Work<T> {
        T done();
    }

    private <T> void answer(CoordinatorPass pass, StreamObserver<T> out, Work<T> work) {
        if (!passes.good(pass)) {
            out.onError(
                    Status.PERMISSION_DENIED
                            .withDescription("Only coordinators of this pool share its limits.")
                            .asRuntimeException());
            return;
        }
        try {
            out.onNext(work.done());
            out.onCompleted();
        } catch (IllegalArgumentException wrong) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription(wrong.getMessage())
                            .asRuntimeException());
        }
    }
}
