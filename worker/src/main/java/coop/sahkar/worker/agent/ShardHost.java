package coop.sahkar.worker.agent;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.BatchPolicy;
import coop.sahkar.worker.engine.EngineLimits;
import coop.sahkar.worker.engine.EngineState;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.StageEngine;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.StageShape;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.head.ChatTemplate;
import coop.sahkar.worker.head.ChatTurn;
import coop.sahkar.worker.llama.StageOptions;
import coop.sahkar.worker.store.ShardKey;
import coop.sahkar.worker.store.StoredFile;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hosts the shards that the pool wants here: carries out what the {@link Reconciler} says, and asks
 * it again after every change. One thread owns all of it; what takes long happens elsewhere and
 * comes back as a change.
 */
final class ShardHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShardHost.class);
    private static final long TICK_MILLIS = 250;
    private static final List<ChatTurn> HELLO = List.of(new ChatTurn("user", "Hello"));

    private final HostOptions options;
    private final HostPorts ports;
    private final ShardFetcher fetcher;
    private final LongSupplier monotonicMillis;
    private final RandomGenerator random;
    private final Map<ShardKey, HostedShard> hosted = new TreeMap<>();
    private final Map<ShardKey, Integer> failures = new HashMap<>();
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("shard-host").factory());

    private Desired desired = Desired.NOTHING;
    private final CountDownLatch empty = new CountDownLatch(1);
    private volatile boolean leaving;
    private volatile long generation;
    private volatile List<HostedShard> snapshot = List.of();

    /** Prepares a host; {@link #start} sets it to work. */
    ShardHost(
            HostOptions options,
            HostPorts ports,
            ShardFetcher fetcher,
            LongSupplier monotonicMillis,
            RandomGenerator random) {
        this.options = options;
        this.ports = ports;
        this.fetcher = fetcher;
        this.monotonicMillis = monotonicMillis;
        this.random = random;
    }

    void start() {
        var _ =
                thread.scheduleWithFixedDelay(
                        this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** What the pool wants here from now on, unless something newer is known. */
    void assign(Desired next) {
        post(() -> {
            if (next.generation() < desired.generation()) {
                LOG.debug("an assignment of generation {} is old", next.generation());
            }
            desired = desired.or(next);
            generation = desired.generation();
            reconcile();
        });
    }

    /** Newest placement generation it has seen. */
    long generation() {
        return generation;
    }

    /** Every shard as it is now. */
    List<ShardStatus> shards() {
        return snapshot.stream().map(HostedShard::status).toList();
    }

    private void post(Runnable change) {
        if (!thread.isShutdown()) {
            thread.execute(() -> {
                try {
                    change.run();
                } catch (RuntimeException e) {
                    LOG.error("a fault of ours in hosting shards", e);
                }
            });
        }
    }

    private void tick() {
        try {
            long now = monotonicMillis.getAsLong();
            boolean ended = false;
            for (HostedShard shard : hosted.values()) {
                StageEngine engine = shard.engine;
                if (shard.phase == ShardPhase.DRAINING
                        && engine != null
                        && (engine.stats().sessions() == 0 || now >= shard.drainUntilMillis)) {
                    shard.phase = ShardPhase.DRAINED;
                    ended = true;
                }
                ended |= shard.phase == ShardPhase.FAILED && now >= shard.retryAtMillis;
            }
            if (ended) {
                reconcile();
            }
        } catch (RuntimeException e) {
            LOG.error("a fault of ours in hosting shards", e);
        }
    }

    private void reconcile() {
        failures.keySet()
                .removeIf(key -> desired.shards().stream().noneMatch(s -> s.key().equals(key)));
        List<Action> actions;
        int rounds = 0;
        do {
            List<ObservedShard> observed =
                    hosted.values().stream().map(HostedShard::observed).toList();
            Desired wanted = leaving ? served(desired) : desired;
            actions =
                    Reconciler.next(
                            wanted, observed, options.lentBytes(), monotonicMillis.getAsLong());
            actions.forEach(this::carryOut);
            rounds++;
        } while (!actions.isEmpty() && rounds < 2);
        snapshot = List.copyOf(hosted.values());
        if (leaving && hosted.isEmpty()) {
            empty.countDown();
        }
        ports.changed().run();
    }

    /** One that leaves begins nothing any more. */
    private Desired served(Desired all) {
        return new Desired(
                all.generation(),
                all.shards().stream()
                        .filter(shard -> {
                            HostedShard here = hosted.get(shard.key());
                            return here != null && here.phase == ShardPhase.SERVING;
                        })
                        .toList());
    }

    private void carryOut(Action action) {
        switch (action) {
            case Action.Fetch(DesiredShard wish) -> fetch(wish);
            case Action.Load(ShardKey key) -> ifHosted(key, this::load);
            case Action.Serve(ShardKey key) -> ifHosted(key, this::serve);
            case Action.Drain(ShardKey key) -> ifHosted(key, this::drain);
            case Action.Drop(ShardKey key) -> ifHosted(key, this::drop);
            case Action.Fail(ShardKey key, String why) -> ifHosted(key, shard -> fail(shard, why));
        }
    }

    private void ifHosted(ShardKey key, Consumer<HostedShard> what) {
        HostedShard shard = hosted.get(key);
        if (shard != null) {
            what.accept(shard);
        }
    }

    private void fetch(DesiredShard wish) {
        HostedShard shard = new HostedShard(wish);
        hosted.put(wish.key(), shard);
        LOG.info("fetching {}", wish.key().described());
        Thread.ofVirtual()
                .name("fetch-" + wish.key().span())
                .start(() -> fetcher.fetch(shard, this::fetched, this::failedLater));
    }

    /** From the fetching thread: the file is here. */
    private void fetched(HostedShard shard, ShardFetcher.Fetched what) {
        post(() -> {
            StoredFile stored = what.stored();
            shard.manifest = what.manifest();
            shard.stored = stored;
            shard.memoryBytes = what.memoryBytes();
            shard.chatTemplate = what.chatTemplate();
            if (!current(shard)) {
                stored.close();
                return;
            }
            shard.phase = ShardPhase.FETCHED;
            reconcile();
        });
    }

    private void failedLater(HostedShard shard, String why) {
        post(() -> {
            if (current(shard)) {
                fail(shard, why);
                reconcile();
            }
        });
    }

    private boolean current(HostedShard shard) {
        return hosted.get(shard.key()) == shard && !shard.closing;
    }

    private void fail(HostedShard shard, String why) {
        int count = failures.merge(shard.key(), 1, Integer::sum);
        leaveTheRing(shard);
        shard.phase = ShardPhase.FAILED;
        shard.failure = why;
        shard.retryAtMillis = monotonicMillis.getAsLong() + options.retry().millis(count, random);
        LOG.warn("{}: {}", shard.key().described(), why);
        Thread.ofVirtual().name("release").start(shard::release);
    }

    private void load(HostedShard shard) {
        ModelManifest manifest = shard.manifest;
        StoredFile stored = shard.stored;
        if (manifest == null || stored == null) {
            throw new IllegalStateException("loading what was not fetched");
        }
        shard.phase = ShardPhase.LOADING;
        StageOptions stage = options.stage(shard.wish.kvCells());
        StageEngine engine =
                new StageEngine(
                        shard.key().described(),
                        () -> open(shard, stored, manifest.blockCount(), stage),
                        ports.links(),
                        EngineLimits.DEFAULT,
                        ports.logs(),
                        BatchPolicy.DEFAULT,
                        (state, why) -> post(() -> engineChanged(shard, state, why)),
                        ports.rerouting());
        shard.engine = engine;
        engine.launch();
    }

    /** On the engine's thread. */
    private LoadedStage open(
            HostedShard shard, StoredFile stored, int blockCount, StageOptions stage)
            throws StageException {
        Span span = shard.key().span();
        StageLoader.Loaded loaded = ports.loader().load(stored.path(), span, blockCount, stage);
        shard.loaded.set(loaded);
        return loaded.stage();
    }

    private void engineChanged(HostedShard shard, EngineState state, String why) {
        if (!current(shard)) {
            return;
        }
        switch (state) {
            case LOADING, DRAINING -> {}
            case SERVING -> {
                if (shard.phase == ShardPhase.LOADING) {
                    shard.phase = ShardPhase.LOADED;
                    reconcile();
                }
            }
            case FAILED -> {
                fail(shard, why);
                reconcile();
            }
            case STOPPED -> {
                fail(shard, "the stage's thread has ended unasked");
                reconcile();
            }
        }
    }

    private void serve(HostedShard shard) {
        StageLoader.Loaded loaded = shard.loaded.get();
        StageEngine engine = shard.engine;
        ModelManifest manifest = shard.manifest;
        if (loaded == null || engine == null || manifest == null) {
            throw new IllegalStateException("serving what was not loaded");
        }
        StageShape shape = engine.shape().join();
        ports.directory().register(shard.key().modelId(), shape, engine);
        ChatTemplate template = shard.chatTemplate;
        Vocabulary vocabulary = loaded.stage().vocabulary();
        if (shape.head() && vocabulary != null && template != null) {
            // The first rendering loads code: the reader of a lost head is not to wait for that.
            var _ = template.render(HELLO, true, LocalDateTime.ofEpochSecond(0, 0, ZoneOffset.UTC));
            int context = Math.min(manifest.contextLength(), shape.kvCells());
            ports.heads()
                    .register(new HostedHead(shard.key(), engine, vocabulary, template, context));
        }
        failures.remove(shard.key());
        shard.phase = ShardPhase.SERVING;
        LOG.info("serving {}", shard.key().described());
    }

    private void drain(HostedShard shard) {
        StageEngine engine = shard.engine;
        if (engine != null) {
            engine.drain();
        }
        if (shard.key().span().isHead()) {
            ports.heads().unregister(shard.key());
        }
        shard.drainUntilMillis =
                leaving ? Long.MAX_VALUE : monotonicMillis.getAsLong() + options.drainMillis();
        shard.phase = ShardPhase.DRAINING;
        LOG.info("giving up {}", shard.key().described());
    }

    private void drop(HostedShard shard) {
        if (shard.closing) {
            return;
        }
        if (shard.engine == null || shard.phase == ShardPhase.FAILED) {
            hosted.remove(shard.key());
            shard.release();
            return;
        }
        shard.closing = true;
        leaveTheRing(shard);
        Thread.ofVirtual()
                .name("release")
                .start(() -> {
                    shard.release();
                    post(() -> {
                        hosted.remove(shard.key(), shard);
                        reconcile();
                    });
                });
    }

    private void leaveTheRing(HostedShard shard) {
        if (shard.engine == null) {
            return;
        }
        ports.directory().unregister(shard.key().modelId(), shard.key().span());
        if (shard.key().span().isHead()) {
            ports.heads().unregister(shard.key());
        }
    }

    /**
     * Begins nothing any more, has the sessions that run led to other workers where there are any,
     * and serves on only what the pool wants here still. What it wants no more takes no sessions,
     * and ends with the last.
     */
    void leave() {
        post(() -> {
            leaving = true;
            for (HostedShard shard : hosted.values()) {
                shard.drainUntilMillis = Long.MAX_VALUE;
                if (shard.engine != null) {
                    shard.engine.leave();
                }
            }
            reconcile();
        });
    }

    /** Whatever the pool wants from here on: it has to do without. */
    void letGo() {
        assign(new Desired(Long.MAX_VALUE, List.of()));
    }

    /** What one that leaves serves on for now. */
    List<ShardKey> kept() {
        return shards().stream()
                .filter(shard -> shard.phase() == ShardPhase.SERVING)
                .map(ShardStatus::key)
                .toList();
    }

    /** Waits until one that leaves has nothing any more; false if that takes longer. */
    boolean awaitEmpty(long millis) throws InterruptedException {
        return empty.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Gives everything up; sessions that run fail with a sentence. */
    @Override
    public void close() {
        List<HostedShard> all = new ArrayList<>();
        post(() -> {
            hosted.values().forEach(this::leaveTheRing);
            all.addAll(hosted.values());
            hosted.clear();
            snapshot = List.of();
        });
        thread.shutdown();
        try {
            if (!thread.awaitTermination(
                    EngineLimits.DEFAULT.closeMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("hosting shards does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        all.forEach(HostedShard::release);
    }
}
