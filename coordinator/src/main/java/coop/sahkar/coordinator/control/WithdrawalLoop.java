package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.state.Command.WithdrawModel;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.ReplicatedLog;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes models out of the pool, while this coordinator leads, when the time of their notice has
 * come and the answers under way have ended, or have had their time.
 */
public final class WithdrawalLoop implements AutoCloseable {
    /** How long answers may go on that were under way when a model went. */
    static final long LAST_ANSWERS_MILLIS = 10 * 60_000;

    private static final Logger LOG = LoggerFactory.getLogger(WithdrawalLoop.class);
    private static final int LOOK_MILLIS = 1_000;

    private final ReplicatedLog log;
    private final Attendance attendance;
    private final LongSupplier unixMillis;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("withdrawals").factory());

    /**
     * @param unixMillis the time that notices are given by
     */
    public WithdrawalLoop(ReplicatedLog log, Attendance attendance, LongSupplier unixMillis) {
        this.log = log;
        this.attendance = attendance;
        this.unixMillis = unixMillis;
    }

    /** Begins. */
    public void start() {
        var _ =
                timer.scheduleWithFixedDelay(
                        this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        try {
            if (log.leads()) {
                for (String id : due(log.state(), this::answers, unixMillis.getAsLong())) {
                    log.propose(new WithdrawModel(id))
                            .ifPresent(refusal -> LOG.warn("{}", refusal.message()));
                }
            }
        } catch (LogUnavailableException later) {
            LOG.debug("models are withdrawn later", later);
        } catch (RuntimeException bug) {
            LOG.error("models could not be withdrawn and will be tried again", bug);
        }
    }

    /** Whether sessions of a model are open somewhere, as workers report. */
    private boolean answers(String modelId) {
        return attendance.holders(modelId).values().stream()
                .flatMap(worker -> worker.shards().stream())
                .anyMatch(shard -> shard.modelId().equals(modelId) && shard.sessions() > 0);
    }

    /** The models whose time is over, by id. */
    static List<String> due(PoolState state, Predicate<String> answers, long nowMillis) {
        return state.models().values().stream()
                .filter(model -> model.gone(nowMillis))
                .filter(model ->
                        nowMillis - model.goneAtMillis() >= LAST_ANSWERS_MILLIS
                                || !answers.test(model.id()))
                .map(ModelRecord::id)
                .toList();
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
