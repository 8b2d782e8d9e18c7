package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.limits.PoolAllowances;
import coop.sahkar.coordinator.limits.Settlement;
import coop.sahkar.coordinator.limits.Verdict;
import coop.sahkar.coordinator.limits.Wish;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.LimitsGrpc;
import coop.sahkar.proto.v1.SettleReply;
import coop.sahkar.proto.v1.TakeReply;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the coordinator that leads for allowances, at the gateways of the pool: the one that led
 * last first, the others in turn. Thread-safe.
 */
final class LeaderLimits implements PoolAllowances.LeaderLink, AutoCloseable {
    /** How long one coordinator may take to answer: a request waits for it. */
    private static final int ANSWER_MILLIS = 2_000;

    /** When none of them leads, they are left alone for this long. */
    private static final long PAUSE_MILLIS = 500;

    private static final Logger LOG = LoggerFactory.getLogger(LeaderLimits.class);

    private final Transport transport;
    private final Supplier<List<String>> gateways;
    private final CoordinatorPasses passes;
    private final LongSupplier monotonicMillis;
    private final Map<String, ManagedChannel> channels = new ConcurrentHashMap<>();
    private volatile String lastLeader = "";
    private volatile long pausedUntilMillis = Long.MIN_VALUE;

    /**
     * @param transport how they are dialled
     * @param gateways where the other coordinators of the pool are reached, {@code host:port}
     */
    LeaderLimits(
            Transport transport,
            Supplier<List<String>> gateways,
            CoordinatorPasses passes,
            LongSupplier monotonicMillis) {
        this.transport = transport;
        this.gateways = gateways;
        this.passes = passes;
        this.monotonicMillis = monotonicMillis;
    }

    @Override
    public CompletableFuture<Optional<Verdict>> take(Wish wish) {
        CompletableFuture<Optional<Verdict>> answer = new CompletableFuture<>();
        if (monotonicMillis.getAsLong() < pausedUntilMillis) {
            answer.complete(Optional.empty());
        } else {
            ask(wish, inOrder().iterator(), answer);
        }
        return answer;
    }

    private List<String> inOrder() {
        List<String> all = new ArrayList<>(gateways.get());
        if (all.remove(lastLeader)) {
            all.addFirst(lastLeader);
        }
        return all;
    }

    private void ask(
            Wish wish, Iterator<String> rest, CompletableFuture<Optional<Verdict>> answer) {
        if (!rest.hasNext()) {
            pausedUntilMillis = monotonicMillis.getAsLong() + PAUSE_MILLIS;
            LOG.debug("no leader answers: limits are counted here for the time being");
            answer.complete(Optional.empty());
            return;
        }
        String gateway = rest.next();
        stub(gateway)
                .take(
                        LimitsAdapter.write(wish, passes.own()),
                        new Reply<TakeReply>(reply -> {
                            if (reply.isEmpty() || !reply.get().getLeads()) {
                                ask(wish, rest, answer);
                            } else {
                                lastLeader = gateway;
                                answer.complete(Optional.of(LimitsAdapter.read(reply.get())));
                            }
                        }));
    }

    @Override
    public void settle(Settlement end) {
        String gateway = lastLeader;
        if (!gateway.isEmpty()) {
            stub(gateway)
                    .settle(
                            LimitsAdapter.write(end, passes.own()),
                            new Reply<SettleReply>(reply -> {
                                if (reply.isEmpty()) {
                                    LOG.debug("the leader heard of no settlement");
                                }
                            }));
        }
    }

    private LimitsGrpc.LimitsStub stub(String gateway) {
        ManagedChannel channel =
                channels.computeIfAbsent(
                        gateway, at -> transport.to("dns:///" + at, PeerRule.COORDINATOR).build());
        return LimitsGrpc.newStub(channel).withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
    }

    private interface Hearer<T> {
        void heard(Optional<T> reply);
    }

    /** One reply, or none. */
    private static final class Reply<T> implements StreamObserver<T> {
        private final Hearer<T> hearer;
        private Optional<T> reply = Optional.empty();

        Reply(Hearer<T> hearer) {
            this.hearer = hearer;
        }

        @Override
        public void onNext(T value) {
            reply = Optional.of(value);
        }

        @Override
        public void onError(Throwable failure) {
            hearer.heard(Optional.empty());
        }

        @Override
        public void onCompleted() {
            hearer.heard(reply);
        }
    }

    @Override
    public void close() {
        channels.values().forEach(ManagedChannel::shutdownNow);
    }
}
