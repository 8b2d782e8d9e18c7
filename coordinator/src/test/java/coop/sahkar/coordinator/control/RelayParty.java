package coop.sahkar.coordinator.control;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayGrpc;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One end of a Carry call, which reads only when it is told to. */
final class RelayParty implements ClientResponseObserver<RelayChunk, RelayChunk> {
    final List<ByteString> heard = new CopyOnWriteArrayList<>();
    final AtomicLong heardBytes = new AtomicLong();
    volatile @Nullable Status end;
    private final boolean reads;
    private @Nullable ClientCallStreamObserver<RelayChunk> call;

    /**
     * @param reads whether it reads whatever comes
     */
    RelayParty(Channel channel, RelayChunk first, boolean reads) {
        this.reads = reads;
        var _ = RelayGrpc.newStub(channel).carry(this);
        call().onNext(first);
    }

    ClientCallStreamObserver<RelayChunk> call() {
        return Objects.requireNonNull(call);
    }

    void say(String text) {
        send(ByteString.copyFromUtf8(text));
    }

    void send(ByteString data) {
        call().onNext(RelayChunk.newBuilder().setData(data).build());
    }

    String text() {
        return ByteString.copyFrom(heard).toStringUtf8();
    }

    String refusal() {
        Status status = end;
        return status == null ? "" : status.getCode() + ": " + status.getDescription();
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<RelayChunk> started) {
        call = started;
        started.disableAutoRequestWithInitial(reads ? 1 : 0);
    }

    @Override
    public void onNext(RelayChunk chunk) {
        heardBytes.addAndGet(chunk.getData().size());
        if (heard.size() < 100) {
            heard.add(chunk.getData());
        }
        call().request(1);
    }

    @Override
    public void onError(Throwable failure) {
        end = Status.fromThrowable(failure);
    }

    @Override
    public void onCompleted() {
        end = Status.OK;
    }
}
