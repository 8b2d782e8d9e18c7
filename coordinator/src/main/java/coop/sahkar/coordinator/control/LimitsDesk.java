package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.accounts.AccountDesk;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.limits.DayLoop;
import coop.sahkar.coordinator.limits.LocalAllowances;
import coop.sahkar.coordinator.limits.PoolAllowances;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.proto.tls.Transport;
import io.grpc.BindableService;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The limits of the pool as one coordinator keeps and shares them, and the door they stand at. */
public final class LimitsDesk implements AutoCloseable {
    private final ReplicatedLog log;
    private final LongSupplier unixMillis;
    private final LocalAllowances own;
    private final DayLoop days;
    private final LeaderLimits leader;
    private final LimitsService service;

    /**
     * @param transport how the other coordinators are dialled
     * @param gateways where the other coordinators of the pool are reached, {@code host:port}
     * @param monotonicMillis a clock that nobody sets
     * @param unixMillis Unix time
     */
    public LimitsDesk(
            ReplicatedLog log,
            TicketSigner signer,
            Transport transport,
            Supplier<List<String>> gateways,
            LongSupplier monotonicMillis,
            LongSupplier unixMillis) {
        this.log = log;
        this.unixMillis = unixMillis;
        this.own = new LocalAllowances(log, monotonicMillis, unixMillis);
        CoordinatorPasses passes = new CoordinatorPasses(log, signer, unixMillis);
        this.days = new DayLoop(log, own);
        this.leader = new LeaderLimits(transport, gateways, passes, monotonicMillis);
        this.service = new LimitsService(log, own, passes);
    }

    /** Begins to write down what the day's limits count. */
    public void start() {
        days.start();
    }

    /** For the other coordinators. */
    public BindableService service() {
        return service;
    }

    /**
     * The door.
     *
     * @param hostKeyHash hash of the key in this coordinator's data folder
     */
    public Gate gate(String hostKeyHash, SecureRandom random) {
        return new Gate(
                new Doorkeeper(log, hostKeyHash),
                new PoolAllowances(log, own, leader),
                new AccountDesk(log, random, unixMillis),
                () -> log.leads() ? Optional.of(own.used()) : Optional.empty());
    }

    @Override
    public void close() {
        days.close();
        leader.close();
    }
}
