package coop.sahkar.coordinator;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.AssignedShard;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.PeerEndpoint;
import coop.sahkar.proto.v1.PeerLatencies;
import coop.sahkar.proto.v1.PeerLatency;
import coop.sahkar.proto.v1.ProtocolVersion;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerLeaving;
import coop.sahkar.proto.v1.WorkerMessage;
import coop.sahkar.proto.v1.WorkerReport;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A worker that serves at once whatever it is told to. */
final class FakeWorker implements StreamObserver<CoordinatorMessage> {
    final String id;
    final List<CoordinatorMessage> heard = new CopyOnWriteArrayList<>();
    private final StreamObserver<WorkerMessage> out;
    private long sequence;
    volatile boolean ended;
    private final boolean hesitates;

    FakeWorker(Channel channel, String id, long memoryBytes, int speaks) {
        this(channel, id, memoryBytes, speaks, false);
    }

    /** One that may take its time to serve what it is assigned. */
    FakeWorker(Channel channel, String id, long memoryBytes, int speaks, boolean hesitates) {
        this.id = id;
        this.hesitates = hesitates;
        this.out = WorkerControlGrpc.newStub(channel).attach(this);
        out.onNext(
                WorkerMessage.newBuilder()
                        .setHello(
                                WorkerHello.newBuilder()
                                        .setProtocol(
                                                ProtocolVersion.newBuilder()
                                                        .setSpeaks(speaks)
                                                        .setUnderstandsFrom(speaks))
                                        .setWorkerId(id)
                                        .setEndpoint("127.0.0.1:4000")
                                        .setMemoryBytes(memoryBytes)
                                        .setDecodeBytesPerSecond(1_000_000_000)
                                        .setThreads(1))
                        .build());
    }

    FakeWorker(Channel channel, String id) {
        this(channel, id, 1_000_000_000, Limits.PROTOCOL_VERSION);
    }

    void say(WorkerMessage message) {
        out.onNext(message);
    }

    void leave() {
        say(
                WorkerMessage.newBuilder()
                        .setLeaving(WorkerLeaving.newBuilder().setReason("test"))
                        .build());
    }

    void breakOff() {
        out.onError(new IllegalStateException("the worker was killed"));
    }

    Assignment assignment() {
        return heard.stream()
                .filter(CoordinatorMessage::hasAssignment)
                .map(CoordinatorMessage::getAssignment)
                .reduce(Assignment.getDefaultInstance(), (first, second) -> second);
    }

    /** Ids of the peers it was asked last to measure the way to. */
    List<String> toMeasure() {
        return heard.stream()
                .filter(CoordinatorMessage::hasMeasure)
                .map(m ->
                        m.getMeasure().getPeersList().stream()
                                .map(PeerEndpoint::getWorkerId)
                                .toList())
                .reduce(List.of(), (first, second) -> second);
    }

    void measured(String peer, int micros) {
        say(
                WorkerMessage.newBuilder()
                        .setLatencies(
                                PeerLatencies.newBuilder()
                                        .addPeers(
                                                PeerLatency.newBuilder()
                                                        .setWorkerId(peer)
                                                        .setMicros(micros)))
                        .build());
    }

    String refusal() {
        return heard.stream()
                .filter(CoordinatorMessage::hasRefused)
                .map(m -> m.getRefused().getMessage())
                .findFirst()
                .orElse("");
    }

    @Override
    public void onNext(CoordinatorMessage message) {
        heard.add(message);
        if (message.hasAssignment() && !hesitates) {
            serve(message.getAssignment());
        }
    }

    /** Serves what it is assigned, after all. */
    void serve() {
        serve(assignment());
    }

    private synchronized void serve(Assignment assignment) {
        WorkerReport.Builder report =
                WorkerReport.newBuilder()
                        .setSequence(++sequence)
                        .setGeneration(assignment.getGeneration());
        for (AssignedShard shard : assignment.getShardsList()) {
            report.addShards(
                    ShardReport.newBuilder()
                            .setModelId(shard.getModelId())
                            .setSpan(shard.getSpan())
                            .setState(ShardState.SHARD_STATE_SERVING)
                            .setKvCells(shard.getKvCells()));
        }
        say(WorkerMessage.newBuilder().setReport(report).build());
    }

    @Override
    public void onError(Throwable failure) {
        ended = true;
    }

    @Override
    public void onCompleted() {
        ended = true;
    }
}
