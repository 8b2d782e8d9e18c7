package coop.sahkar.worker.agent;

import coop.sahkar.proto.v1.ReachGrpc;
import coop.sahkar.proto.v1.WhoReply;
import coop.sahkar.proto.v1.WhoRequest;
import io.grpc.stub.StreamObserver;

/** Says who listens here, to coordinators that try whether this worker can be dialled. */
final class ReachService extends ReachGrpc.ReachImplBase {
    private final String workerId;

    ReachService(String workerId) {
        this.workerId = workerId;
    }

    @Override
    public void who(WhoRequest request, StreamObserver<WhoReply> out) {
        out.onNext(WhoReply.newBuilder().setWorkerId(workerId).build());
        out.onCompleted();
    }
}
