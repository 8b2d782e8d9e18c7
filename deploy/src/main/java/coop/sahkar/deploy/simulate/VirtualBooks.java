package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.state.Command.PostUsage;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.usage.UsageBook;
import coop.sahkar.coordinator.usage.Use;
import coop.sahkar.governance.ledger.UsageBatch;
import java.util.Optional;

/**
 * What a coordinator counts on its way into the log. Some proposals are lost, some come late or
 * twice, some are applied and nobody hears of it; what a coordinator that dies had not posted is
 * gone, but for what was on its way.
 */
final class VirtualBooks {
    private static final int MOST_LATE_MILLIS = 20_000;
    private static final int FATES = 20;

    /** Batches of one round, more than can wait. */
    private static final int MOST_BATCHES = 32;

    private final String coordinator;
    private final World world;
    private final VirtualLog.Replica log;
    private final Chance chance;
    private UsageBook book;
    private long run;
    private int boot;

    VirtualBooks(String coordinator, World world, VirtualLog.Replica log, Chance chance) {
        this.coordinator = coordinator;
        this.world = world;
        this.log = log;
        this.chance = chance;
        this.book = new UsageBook(coordinator, run);
    }

    void start() {
        run = chance.bits();
        book = new UsageBook(coordinator, run);
        boot++;
        look(boot);
    }

    void stop() {
        boot++;
    }

    void record(Use use) {
        world.invariants().books().used(coordinator, run, use);
        book.record(use);
    }

    private void look(int atBoot) {
        if (boot != atBoot) {
            return;
        }
        try {
            Optional<UsageBatch> batch = book.next(last(), world.nowMillis());
            batch.ifPresent(this::propose);
        } catch (LogUnavailableException e) {
            world.trace().say(coordinator, "cannot post what it counted: " + e.getMessage());
        }
        world.agenda().after(world.policy().ledger().usageIntervalMillis(), () -> look(atBoot));
    }

    private void propose(UsageBatch batch) {
        switch (chance.below(FATES)) {
            case 0 -> {} // lost on the way
            case 1 -> log.propose(new PostUsage(batch)); // the answer is lost
            case 2 -> later(batch);
            case 3 -> {
                later(batch);
                settled(log.propose(new PostUsage(batch)));
            }
            default -> settled(log.propose(new PostUsage(batch)));
        }
    }

    private void later(UsageBatch batch) {
        world.agenda()
                .after(
                        1 + chance.below(MOST_LATE_MILLIS),
                        () -> {
                            VirtualCoordinator through = world.anyCoordinator(chance);
                            try {
                                if (through != null) {
                                    through.log().propose(new PostUsage(batch));
                                }
                            } catch (LogUnavailableException e) {
                                world.trace().say(coordinator, "is not heard any more");
                            }
                        });
    }

    private void settled(Optional<Refusal> refusal) {
        if (refusal.isEmpty()) {
            book.done();
        } else if (refusal.get().reason() == Refusal.Reason.STALE) {
            book.outOfTurn(last());
        } else {
            throw new Violation("a usage batch is refused: " + refusal.get().message());
        }
    }

    private long last() {
        return log.state().ledger().lastSequence(coordinator);
    }

    /** The world has healed: all that was counted must get into the ledger. */
    void settle() {
        for (int i = 0; i < MOST_BATCHES; i++) {
            Optional<UsageBatch> batch = book.next(last(), world.nowMillis());
            if (batch.isEmpty()) {
                world.invariants().books().settled(coordinator, run);
                return;
            }
            settled(log.propose(new PostUsage(batch.get())));
        }
        throw new Violation(coordinator + " has batches that do not end");
    }
}
