package coop.sahkar.deploy.bench;

import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A gateway under the load of many streams: a real one, over real connections, before a head that
 * makes its tokens up. What a token takes from that head to its reader is the gateway, twice the
 * loopback network, and waiting for a processor.
 */
public final class GatewayBench implements AutoCloseable {
    /**
     * What to do.
     *
     * @param connections readers at once
     * @param slow readers that take nothing
     * @param tokens of each answer
     * @param perSecond of each answer
     */
    public record Plan(int connections, int slow, int tokens, int perSecond) {}

    private static final int WARM_TOKENS = 16;
    private static final long LOOK_MILLIS = 20;
    private static final long QUIET_MILLIS = 500;
    private static final long START_MILLIS = 60_000;

    /** An answer may take this many times what its pace says, and {@link #START_MILLIS} more. */
    private static final int PATIENCE = 4;

    private final Plan plan;
    private final Consumer<String> steps;
    private final PacedHead head;
    private final OneHeadPool pool;
    private final Gateway gateway;
    private final InetSocketAddress address;
    private final List<String> faults = new ArrayList<>();

    /**
     * @param steps is told what is being done
     */
    public GatewayBench(Plan plan, Consumer<String> steps) throws IOException {
        this.plan = plan;
        this.steps = steps;
        this.head = new PacedHead(plan.perSecond());
        this.pool = new OneHeadPool(head.endpoint(), plan.connections() + plan.slow());
        this.gateway = Gateway.start(pool, GatewayOptions.defaults().at("127.0.0.1", 0));
        this.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway.port());
    }

    /** Does it. */
    public GatewayFigures run() throws IOException, InterruptedException {
        steps.accept("warming up");
        answers(plan.connections(), Math.min(WARM_TOKENS, plan.tokens()));
        steps.accept("one reader");
        GatewayFigures.Answers alone = answers(1, plan.tokens());
        steps.accept("%,d readers".formatted(plan.connections()));
        long perStream = heapPerStream();
        GatewayFigures.Answers many = answers(plan.connections(), plan.tokens());
        steps.accept("the same beside %,d that take nothing".formatted(plan.slow()));
        long idle = liveHeapBytes();
        GatewayFigures.Answers besideSlow;
        long perSlow;
        try (EventReaders stalled = new EventReaders(address, plan.tokens())) {
            stalled.stall(plan.slow());
            await("the slow readers' answers begin", () -> head.open() == plan.slow());
            awaitHeldBack();
            besideSlow = answers(plan.connections(), plan.tokens());
            perSlow = plan.slow() == 0 ? 0 : (liveHeapBytes() - idle) / plan.slow();
        }
        await("what was left is given back", () -> head.open() == 0 && pool.routesInUse() == 0);
        long pid = ProcessHandle.current().pid();
        return new GatewayFigures(
                plan.connections(),
                plan.slow(),
                plan.perSecond(),
                alone,
                many,
                besideSlow,
                perStream,
                Math.max(0, perSlow),
                heldBackBytes(),
                SystemFacts.residentBytes(pid),
                SystemFacts.peakResidentBytes(pid),
                pool.repairCount(),
                List.copyOf(faults));
    }

    private GatewayFigures.Answers answers(int count, int tokens)
            throws IOException, InterruptedException {
        try (EventReaders readers = new EventReaders(address, tokens)) {
            readers.read(count);
            long millis = START_MILLIS + PATIENCE * 1_000L * tokens / plan.perSecond();
            await(count + " answers end", millis, () -> readers.over() == count);
            faults.addAll(readers.failures());
            return GatewayFigures.Answers.of(readers.whole(), readers.delayNanos());
        }
    }

    /** With all streams open. */
    private long heapPerStream() throws IOException, InterruptedException {
        long before = liveHeapBytes();
        try (EventReaders readers = new EventReaders(address, plan.tokens())) {
            readers.read(plan.connections());
            await("the answers begin", () -> readers.begun() == plan.connections());
            faults.addAll(readers.failures());
            return Math.max(0, liveHeapBytes() - before) / plan.connections();
        } finally {
            await("they are given up", () -> head.open() == 0);
        }
    }

    /** Until no head gets rid of anything more for readers that take nothing. */
    private void awaitHeldBack() throws InterruptedException {
        long before = -1;
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        while (before != heldBackBytes()) {
            if (System.nanoTime() - deadline > 0) {
                faults.add("slow readers were not held back");
                return;
            }
            before = heldBackBytes();
            Thread.sleep(QUIET_MILLIS);
        }
    }

    private long heldBackBytes() {
        return head.floods().stream().mapToLong(PacedHead.Flood::sentBytes).max().orElse(0);
    }

    private void await(String what, BooleanSupplier come) throws InterruptedException {
        await(what, START_MILLIS, come);
    }

    private void await(String what, long millis, BooleanSupplier come) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!come.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                faults.add("after %d s it did not come that %s".formatted(millis / 1000, what));
                return;
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private static long liveHeapBytes() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    @Override
    public void close() {
        gateway.close();
        head.close();
    }
}
