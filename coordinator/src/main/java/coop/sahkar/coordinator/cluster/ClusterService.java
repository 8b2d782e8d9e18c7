package coop.sahkar.coordinator.cluster;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.raft.RaftMembers;
import coop.sahkar.coordinator.raft.RaftNode;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.Cluster;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.proto.v1.BackupPart;
import coop.sahkar.proto.v1.BackupRequest;
import coop.sahkar.proto.v1.ClusterGrpc;
import coop.sahkar.proto.v1.GroupMember;
import coop.sahkar.proto.v1.GroupReply;
import coop.sahkar.proto.v1.GroupRequest;
import coop.sahkar.proto.v1.JoinRequest;
import coop.sahkar.proto.v1.RemoveRequest;
import coop.sahkar.proto.v1.TransferRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is a coordinator of the pool, asked and changed. Failures are gRPC statuses whose description
 * is the sentence. Calls wait for the log on virtual threads.
 */
public final class ClusterService extends ClusterGrpc.ClusterImplBase implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterService.class);
    private static final int PART_BYTES = 1024 * 1024;

    private final String coordinatorId;
    private final RatisLog log;
    private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();

    public ClusterService(String coordinatorId, RatisLog log) {
        this.coordinatorId = coordinatorId;
        this.log = log;
    }

    @Override
    public void group(GroupRequest request, StreamObserver<GroupReply> out) {
        answer(out, this::look);
    }

    @Override
    public void join(JoinRequest request, StreamObserver<GroupReply> out) {
        answer(
                out,
                () -> {
                    int level = log.state().cluster().level();
                    if (request.getKnowsLevel() < level) {
                        throw failure(
                                Status.FAILED_PRECONDITION,
                                "the pool is at feature level %d and this release knows %d: join with a newer one"
                                        .formatted(level, request.getKnowsLevel()));
                    }
                    log.members().add(address(request));
                    LOG.info("coordinator {} has joined", request.getId());
                    return look();
                });
    }

    private static RaftNode.Address address(JoinRequest request) {
        String raft = request.getRaft();
        int colon = raft.lastIndexOf(':');
        boolean fits = request.getId().matches("[A-Za-z0-9._-]{1,64}") && colon > 0;
        try {
            int port = fits ? Integer.parseInt(raft, colon + 1, raft.length(), 10) : 0;
            if (port > 0 && port < 65_536) {
                String host = raft.substring(0, colon).replace("[", "").replace("]", "");
                return new RaftNode.Address(request.getId(), host, port);
            }
        } catch (NumberFormatException e) {
            LOG.debug("a port that is none", e);
        }
        throw failure(
                Status.INVALID_ARGUMENT, "who joins needs an id and where its log is reached");
    }

    @Override
    public void remove(RemoveRequest request, StreamObserver<GroupReply> out) {
        answer(
                out,
                () -> {
                    boolean known =
                            log.members().view().members().stream()
                                    .anyMatch(m -> m.id().equals(request.getId()));
                    if (!known) {
                        throw failure(
                                Status.NOT_FOUND,
                                "no coordinator is called %s".formatted(request.getId()));
                    }
                    log.members().remove(request.getId());
                    LOG.info("coordinator {} is removed", request.getId());
                    return look();
                });
    }

    @Override
    public void transfer(TransferRequest request, StreamObserver<GroupReply> out) {
        answer(
                out,
                () -> {
                    log.members().transfer(request.getId());
                    return look();
                });
    }

    @Override
    public void backup(BackupRequest request, StreamObserver<BackupPart> observer) {
        var out = (ServerCallStreamObserver<BackupPart>) observer;
        run(
                out,
                () -> {
                    byte[] file = PoolBackup.write(log.latest());
                    for (int at = 0; at < file.length && !out.isCancelled(); at += PART_BYTES) {
                        int length = Math.min(PART_BYTES, file.length - at);
                        out.onNext(
                                BackupPart.newBuilder()
                                        .setBytes(ByteString.copyFrom(file, at, length))
                                        .build());
                    }
                    out.onCompleted();
                });
    }

    private GroupReply look() {
        RaftMembers.View view = log.members().view();
        Cluster cluster = log.state().cluster();
        GroupReply.Builder reply =
                GroupReply.newBuilder()
                        .setGroupId(view.groupId().toString())
                        .setCoordinatorId(coordinatorId)
                        .setLeaderId(view.leaderId())
                        .setTerm(view.term())
                        .setAppliedIndex(view.appliedIndex())
                        .setLevel(cluster.level());
        for (RaftMembers.Member member : view.members()) {
            CoordinatorRecord said = cluster.coordinators().get(member.id());
            reply.addMembers(
                    GroupMember.newBuilder()
                            .setId(member.id())
                            .setRaft(member.raft())
                            .setCommitIndex(member.commitIndex())
                            .setGateway(said == null ? "" : said.gateway())
                            .setKnowsLevel(said == null ? 0 : said.knowsLevel()));
        }
        return reply.build();
    }

    private void answer(StreamObserver<GroupReply> out, Supplier<GroupReply> call) {
        run(
                out,
                () -> {
                    GroupReply reply = call.get();
                    out.onNext(reply);
                    out.onCompleted();
                });
    }

    private void run(StreamObserver<?> out, Runnable call) {
        try {
            calls.execute(() -> guard(out, call));
        } catch (RejectedExecutionException e) {
            out.onError(failure(Status.UNAVAILABLE, "this coordinator is shutting down"));
        }
    }

    private static void guard(StreamObserver<?> out, Runnable call) {
        try {
            call.run();
        } catch (StatusRuntimeException e) {
            out.onError(e);
        } catch (LogUnavailableException e) {
            out.onError(failure(Status.FAILED_PRECONDITION, String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            LOG.error("a call to Cluster failed", e);
            out.onError(failure(Status.INTERNAL, "a fault of the coordinator; its log says more"));
        }
    }

    private static StatusRuntimeException failure(Status status, String sentence) {
        return status.withDescription(sentence).asRuntimeException();
    }

    @Override
    public void close() {
        calls.shutdownNow();
    }
}
