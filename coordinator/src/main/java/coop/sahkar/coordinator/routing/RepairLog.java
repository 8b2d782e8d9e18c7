package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.SessionId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The repairs this coordinator has heard of: how many, and the last few of them. Soft state. A
 * repair may be asked of one coordinator and seen to work by another; one that got its route and of
 * which no complaint came for {@link #QUIET_MILLIS} is taken for finished, one without for failed.
 */
public final class RepairLog implements Repairs {
    /** Repairs remembered one by one; older ones are only counted. */
    public static final int KEPT = 100;

    /** Heads ask for a route again well within this while one does not work. */
    static final long QUIET_MILLIS = 15_000;

    /** How far a repair is. */
    public enum Stage {
        /** The session got a route, or one is looked for. */
        RUNNING,
        /** The session goes on. */
        FINISHED,
        /** The session got no route, or one that did not work. */
        FAILED
    }

    /**
     * One repair.
     *
     * @param agoMillis when it began
     * @param modelId {@code name@digest}
     * @param epoch the epoch it leads to
     * @param lost workers taken for lost
     * @param cause what the head noticed; where it failed, why
     */
    public record Entry(
            long agoMillis,
            String modelId,
            int epoch,
            List<String> lost,
            Stage stage,
            String cause) {
        public Entry {
            lost = List.copyOf(lost);
        }
    }

    /**
     * All that is known.
     *
     * @param running repairs under way
     * @param finished repairs after which the session went on, since the start
     * @param failed repairs that did not help, since the start
     * @param last the last {@link #KEPT}, newest first
     */
    public record View(int running, long finished, long failed, List<Entry> last) {
        public View {
            last = List.copyOf(last);
        }
    }

    private final LongSupplier clockMillis;
    private final Deque<Repair> newestFirst = new ArrayDeque<>();
    private long finished;
    private long failed;

    private static final class Repair {
        final SessionId session;
        final String modelId;
        final int epoch;
        final long begunMillis;
        List<String> lost;
        long askedMillis;
        Stage stage = Stage.RUNNING;
        boolean routeless;
        String cause;

        Repair(
                SessionId session,
                String modelId,
                int epoch,
                List<String> lost,
                String cause,
                long begunMillis) {
            this.session = session;
            this.modelId = modelId;
            this.epoch = epoch;
            this.lost = List.copyOf(lost);
            this.cause = bounded(cause);
            this.begunMillis = begunMillis;
            this.askedMillis = begunMillis;
        }
    }

    /**
     * @param clockMillis a monotonic clock
     */
    public RepairLog(LongSupplier clockMillis) {
        this.clockMillis = clockMillis;
    }

    @Override
    public synchronized void begun(
            SessionId session, String modelId, int epoch, List<String> lost, String cause) {
        long now = clockMillis.getAsLong();
        for (Repair earlier : newestFirst) {
            if (!earlier.session.equals(session) || earlier.stage != Stage.RUNNING) {
                continue;
            }
            if (earlier.epoch == epoch) {
                again(earlier, lost, cause, now);
                return;
            }
            if (earlier.epoch < epoch) {
                close(earlier, quiet(earlier, now) ? outcome(earlier) : Stage.FAILED);
            }
        }
        newestFirst.addFirst(new Repair(session, modelId, epoch, lost, cause, now));
        if (newestFirst.size() > KEPT) {
            Repair oldest = newestFirst.removeLast();
            close(oldest, outcome(oldest));
        }
    }

    /** The same repair is asked for again: there was no route. */
    private static void again(Repair repair, List<String> lost, String cause, long nowMillis) {
        repair.askedMillis = nowMillis;
        repair.routeless = false;
        repair.lost = List.copyOf(lost);
        repair.cause = bounded(cause);
    }

    private static Stage outcome(Repair repair) {
        return repair.routeless ? Stage.FAILED : Stage.FINISHED;
    }

    @Override
    public synchronized void finished(SessionId session, int epoch) {
        for (Repair repair : newestFirst) {
            if (repair.session.equals(session) && repair.epoch <= epoch) {
                close(repair, Stage.FINISHED);
            }
        }
    }

    @Override
    public synchronized void noRoute(SessionId session, int epoch, String why) {
        for (Repair repair : newestFirst) {
            boolean runs = repair.stage == Stage.RUNNING && repair.epoch == epoch;
            if (runs && repair.session.equals(session)) {
                repair.routeless = true;
                repair.cause = bounded(why);
            }
        }
    }

    @Override
    public synchronized void ended(SessionId session, boolean well) {
        Predicate<Repair> running =
                repair -> repair.stage == Stage.RUNNING && repair.session.equals(session);
        if (well) {
            newestFirst.removeIf(running.and(repair -> repair.routeless));
        }
        newestFirst.stream()
                .filter(running)
                .forEach(repair -> close(repair, well ? Stage.FINISHED : Stage.FAILED));
    }

    @Override
    public synchronized boolean superseded(SessionId session, int epoch) {
        return newestFirst.stream()
                .anyMatch(repair -> repair.epoch > epoch && repair.session.equals(session));
    }

    private void close(Repair repair, Stage stage) {
        if (repair.stage != Stage.RUNNING) {
            return;
        }
        repair.stage = stage;
        if (stage == Stage.FAILED) {
            failed++;
        } else {
            finished++;
        }
    }

    /** What to show at this moment. */
    public synchronized View view() {
        long now = clockMillis.getAsLong();
        List<Entry> last = new ArrayList<>(newestFirst.size());
        int running = 0;
        for (Repair repair : newestFirst) {
            if (quiet(repair, now)) {
                close(repair, outcome(repair));
            }
            running += repair.stage == Stage.RUNNING ? 1 : 0;
            last.add(
                    new Entry(
                            now - repair.begunMillis,
                            repair.modelId,
                            repair.epoch,
                            repair.lost,
                            repair.stage,
                            repair.cause));
        }
        return new View(running, finished, failed, last);
    }

    private static boolean quiet(Repair repair, long now) {
        return now - repair.askedMillis >= QUIET_MILLIS;
    }

    private static String bounded(String sentence) {
        return sentence.substring(0, Math.min(sentence.length(), Limits.MAX_ERROR_CHARS));
    }
}
