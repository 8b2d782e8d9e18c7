package coop.sahkar.coordinator.control;

import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.PoolStatusRequest;
import io.grpc.stub.StreamObserver;

/** Tells people how the pool fares. */
public final class PoolService extends PoolGrpc.PoolImplBase {
    private final PoolLook look;

    public PoolService(PoolLook look) {
        this.look = look;
    }

    @Override
    public void status(PoolStatusRequest request, StreamObserver<PoolStatus> out) {
        out.onNext(look.status());
        out.onCompleted();
    }
}
