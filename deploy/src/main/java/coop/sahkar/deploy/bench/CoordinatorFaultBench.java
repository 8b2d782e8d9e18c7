package coop.sahkar.deploy.bench;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.deploy.demo.ClusterPool;
import coop.sahkar.proto.v1.GroupReply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Kills coordinators, the leader every other time, while many answers run and the log is written,
 * and starts each again after a while.
 */
public final class CoordinatorFaultBench {
    private static final int QUIET_ANSWERS = 3;
    private static final int QUIET_SECONDS = 120;
    private static final int ELECTION_SECONDS = 30;
    private static final int POLL_MILLIS = 10;
    private static final int LEAST_AWAY_MILLIS = 500;
    private static final int MOST_AWAY_MILLIS = 2_000;

    private final ClusterPool pool;
    private final int readers;
    private final int tokens;
    private final RandomGenerator random;
    private final Consumer<String> step;
    private final List<Double> electionMillis = new ArrayList<>();
    private final List<Double> returnMillis = new ArrayList<>();
    private int leaders;

    /**
     * @param pool serves a model
     * @param readers answers at once
     * @param tokens most of each answer
     * @param step is told what is done next
     */
    public CoordinatorFaultBench(
            ClusterPool pool,
            int readers,
            int tokens,
            RandomGenerator random,
            Consumer<String> step) {
        this.pool = pool;
        this.readers = readers;
        this.tokens = tokens;
        this.random = random;
        this.step = step;
    }

    /**
     * Runs it; some seconds for each round.
     *
     * @param changeMembers whether coordinators join and are removed first, from one to five to
     *     three
     * @param rounds how many are killed
     * @param most time after which no more are
     */
    public CoordinatorFaultReport run(boolean changeMembers, int rounds, Duration most)
            throws InterruptedException {
        List<InferenceClient> clients = clients();
        try (AckedCommands commands = new AckedCommands(pool)) {
            SteadyReaders steady =
                    new SteadyReaders(clients, pool.modelId(), readers, tokens, step);
            steady.start();
            step.accept("answers without kills, to know their texts");
            awaitQuiet(steady);
            steady.quietIsOver();
            commands.start();
            long begun = System.nanoTime();
            int done = 0;
            if (changeMembers) {
                changeMembers();
            }
            while (done < rounds && System.nanoTime() - begun < most.toNanos()) {
                round(++done, rounds);
            }
            SteadyReaders.Seen seen = steady.end();
            commands.end();
            return new CoordinatorFaultReport(
                    pool.ids().size(),
                    readers,
                    done,
                    leaders,
                    electionMillis,
                    returnMillis,
                    seen,
                    commands.acknowledged(),
                    commands.lost().size(),
                    commands.longestGapMillis());
        } finally {
            clients.forEach(InferenceClient::close);
        }
    }

    /** One for each coordinator, which it asks first; the others it knows too. */
    private List<InferenceClient> clients() {
        List<InferenceClient> clients = new ArrayList<>();
        List<String> gateways = new ArrayList<>(pool.gateways());
        for (int i = 0; i < pool.gateways().size(); i++) {
            clients.add(InferenceClient.builder().addresses(gateways).build());
            Collections.rotate(gateways, 1);
        }
        return clients;
    }

    private static void awaitQuiet(SteadyReaders steady) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(QUIET_SECONDS);
        while (!steady.heard(QUIET_ANSWERS)) {
            if (System.nanoTime() > end) {
                throw new BenchException(
                        "The readers did not get %d answers each in %d s."
                                .formatted(QUIET_ANSWERS, QUIET_SECONDS));
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    /** One, three, five, three; the leader is the first that goes. */
    private void changeMembers() throws InterruptedException {
        for (String id : List.of("c2", "c3", "c4", "c5")) {
            long begun = System.nanoTime();
            pool.add(id);
            told(id + " has joined", begun);
        }
        for (int i = 0; i < 2; i++) {
            String leader = pool.leader();
            long begun = System.nanoTime();
            pool.remove(leader.isEmpty() ? pool.ids().getFirst() : leader);
            told(leader + ", which led, is removed", begun);
        }
    }

    private void told(String what, long begunNanos) {
        step.accept("%s, in %.0f ms".formatted(what, (System.nanoTime() - begunNanos) / 1e6));
    }

    private void round(int number, int of) throws InterruptedException {
        String leader = pool.leader();
        boolean aimAtLeader = number % 2 == 1;
        List<String> others = pool.ids().stream().filter(id -> !id.equals(leader)).toList();
        String target =
                aimAtLeader && !leader.isEmpty()
                        ? leader
                        : others.get(random.nextInt(others.size()));
        long term = pool.group(target).map(GroupReply::getTerm).orElse(0L);
        long killed = System.nanoTime();
        pool.kill(target);
        double election = 0;
        if (target.equals(leader)) {
            leaders++;
            election = awaitLeader(target, term, killed);
            electionMillis.add(election);
        }
        TimeUnit.MILLISECONDS.sleep(random.nextInt(LEAST_AWAY_MILLIS, MOST_AWAY_MILLIS));
        long started = System.nanoTime();
        pool.revive(target);
        double back = (System.nanoTime() - started) / 1e6;
        returnMillis.add(back);
        step.accept(
                "%d of %d: %s%s, back in %.0f ms"
                        .formatted(
                                number,
                                of,
                                target,
                                target.equals(leader)
                                        ? ", which led; a new leader after %.0f ms"
                                                .formatted(election)
                                        : "",
                                back));
    }

    private double awaitLeader(String without, long beforeTerm, long sinceNanos)
            throws InterruptedException {
        List<String> left = pool.ids().stream().filter(id -> !id.equals(without)).toList();
        long end = sinceNanos + TimeUnit.SECONDS.toNanos(ELECTION_SECONDS);
        while (System.nanoTime() < end) {
            for (String id : left) {
                Optional<GroupReply> group = pool.group(id);
                if (group.isPresent()
                        && group.get().getTerm() > beforeTerm
                        && !group.get().getLeaderId().isEmpty()
                        && !group.get().getLeaderId().equals(without)) {
                    return (System.nanoTime() - sinceNanos) / 1e6;
                }
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
        throw new BenchException(
                "No new leader in %d s after %s was killed.".formatted(ELECTION_SECONDS, without));
    }
}
