package coop.sahkar.worker.peers;

import coop.sahkar.proto.v1.PeerGrpc;
import coop.sahkar.proto.v1.PingReply;
import coop.sahkar.proto.v1.PingRequest;
import io.grpc.stub.StreamObserver;

/** Answers pings. */
public final class PingService extends PeerGrpc.PeerImplBase {
    private final PingReply reply;

    /**
     * @param workerId who answers
     */
    public PingService(String workerId) {
        reply = PingReply.newBuilder().setWorkerId(workerId).build();
    }

    @Override
    public void ping(PingRequest request, StreamObserver<PingReply> out) {
        out.onNext(reply);
        out.onCompleted();
    }
}
