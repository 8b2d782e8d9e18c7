package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.log.CommandCodec;
import coop.sahkar.coordinator.log.LogFormatException;
import coop.sahkar.coordinator.log.OutcomeCodec;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command.RaiseLevel;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;

/**
 * Feeds committed commands to {@link Transition} and keeps the state it gives. Written only by
 * Ratis's updater thread; read by all.
 *
 * <p>It drives its own life cycle: the base class's {@code pause} is empty, and a follower that
 * installs a snapshot dies when its machine has not paused.
 */
final class PoolMachine extends BaseStateMachine {
    private static final String PARTIAL = ".partial";

    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Throwable> broken = new CompletableFuture<>();
    private final Object progress = new Object();
    private volatile PoolState state;
    private volatile Runnable membersChanged = () -> {};

    /**
     * @param first the state before the log's first entry
     */
    PoolMachine(PoolState first) {
        this.state = first;
        var _ = broken.thenRun(this::progressed);
    }

    PoolState state() {
        return state;
    }

    /**
     * Done once this node's log can be written no more, or its server has ended: with the reason.
     */
    CompletableFuture<Throwable> broken() {
        return broken;
    }

    @Override
    public void notifyLogFailed(Throwable cause, LogEntryProto failedEntry) {
        broken.complete(cause);
    }

    @Override
    public void notifyServerShutdown(RoleInfoProto roleInfo, boolean allServer) {
        broken.complete(new IOException("its server has ended"));
    }

    @Override
    public void notifyConfigurationChanged(
            long term, long index, RaftConfigurationProto newConfiguration) {
        membersChanged.run();
    }

    /** Has {@code listener} called when the members have changed; it must not wait. */
    void onMembers(Runnable listener) {
        membersChanged = listener;
    }

    /**
     * Waits until an entry of the log, which the leader has applied, is applied here, so that
     * whoever reads here next sees it.
     */
    void awaitApplied(long index, long deadlineNanos) {
        synchronized (progress) {
            while (getLastAppliedTermIndex().getIndex() < index) {
                long leftNanos = deadlineNanos - System.nanoTime();
                if (leftNanos <= 0 || broken.isDone()) {
                    throw new LogUnavailableException(
                            "the change was made, but this coordinator has not heard of it yet: look again in a moment");
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(progress, leftNanos);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new LogUnavailableException("interrupted while the log was written", e);
                }
            }
        }
    }

    private void progressed() {
        synchronized (progress) {
            progress.notifyAll();
        }
    }

    void onChange(Runnable listener) {
        listeners.add(listener);
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage)
            throws IOException {
        super.initialize(server, groupId, raftStorage);
        getLifeCycle()
                .startAndTransition(
                        () -> {
                            deleteUnfinished(raftStorage.getStorageDir().getStateMachineDir());
                            storage.init(raftStorage);
                            load();
                        },
                        IOException.class);
    }

    @Override
    public void pause() {
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    @Override
    public void reinitialize() throws IOException {
        getLifeCycle().startAndTransition(this::load, IOException.class);
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return storage;
    }

    /** A crash leaves a snapshot half written. */
    private static void deleteUnfinished(File folder) throws IOException {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(folder.toPath(), "*" + PARTIAL)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
    }

    private void load() throws IOException {
        SingleFileSnapshotInfo snapshot = storage.loadLatestSnapshot();
        if (snapshot == null) {
            return;
        }
        File file = snapshot.getFile().getPath().toFile();
        MD5FileUtil.verifySavedMD5(file, MD5FileUtil.computeMd5ForFile(file));
        try (InputStream in = Files.newInputStream(file.toPath())) {
            state = SnapshotCodec.read(in);
        }
        setLastAppliedTermIndex(snapshot.getTermIndex());
        progressed();
        listeners.forEach(Runnable::run);
    }

    /**
     * A snapshot counts once it has its name, and what has none is unfinished. Its checksum is
     * therefore there before: a snapshot without one is damaged.
     */
    @Override
    public long takeSnapshot() throws IOException {
        TermIndex last = getLastAppliedTermIndex();
        File file = storage.getSnapshotFile(last.getTerm(), last.getIndex());
        File partial = new File(file.getParentFile(), file.getName() + PARTIAL);
        try (FileOutputStream out = new FileOutputStream(partial)) {
            SnapshotCodec.write(state, out);
            out.getFD().sync();
        } catch (IOException e) {
            Files.deleteIfExists(partial.toPath()); // on a full disk the log needs the room more
            throw e;
        }
        MD5Hash checksum = MD5FileUtil.computeMd5ForFile(partial);
        MD5FileUtil.saveMD5File(file, checksum);
        Files.move(partial.toPath(), file.toPath(), StandardCopyOption.ATOMIC_MOVE);
        storage.updateLatestSnapshot(
                new SingleFileSnapshotInfo(new FileInfo(file.toPath(), checksum), last));
        return last.getIndex();
    }

    /** Only validates: it may run for several requests at once, and before others are applied. */
    @Override
    public TransactionContext startTransaction(RaftClientRequest request) throws IOException {
        TransactionContext transaction = super.startTransaction(request);
        try {
            CommandCodec.read(bytes(request.getMessage().getContent()));
        } catch (LogFormatException e) {
            transaction.setException(new StateMachineException(e.getMessage(), e));
        }
        return transaction;
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        var entry = transaction.getLogEntry();
        ByteString data = entry.getStateMachineLogEntry().getLogData();
        Outcome outcome = Transition.apply(state, read(data));
        state = outcome.state();
        updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
        progressed();
        listeners.forEach(Runnable::run);
        return CompletableFuture.completedFuture(message(OutcomeCodec.write(outcome.refusal())));
    }

    /**
     * Reads a committed command. One that this release does not know ends this coordinator before
     * anything is applied wrongly: to leave it out would be to come to another state than the
     * others.
     */
    private LoggedCommand read(ByteString data) {
        try {
            LoggedCommand logged = CommandCodec.read(bytes(data));
            if (logged.command() instanceof RaiseLevel raise
                    && raise.level() > FeatureLevel.KNOWN) {
                throw new LogFormatException(
                        "the pool was raised to feature level %d; this release knows level %d: start a newer one"
                                .formatted(raise.level(), FeatureLevel.KNOWN));
            }
            return logged;
        } catch (LogFormatException e) {
            broken.complete(e);
            throw e;
        }
    }

    /** Answers Ratis' read: by then what its leader knew to be committed is applied here. */
    @Override
    public CompletableFuture<Message> query(Message request) {
        return CompletableFuture.completedFuture(Message.EMPTY);
    }

    static Message message(byte[] bytes) {
        ByteString content = ByteString.copyFrom(bytes);
        return () -> content;
    }

    static ByteBuffer bytes(ByteString content) {
        return content.asReadOnlyByteBuffer();
    }
}
