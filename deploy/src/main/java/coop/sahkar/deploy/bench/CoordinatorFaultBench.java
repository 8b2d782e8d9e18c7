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
    private static final int QUIET_SECONDS = 180;
    private static final int ELECTION_SECONDS = 30;
    private static final int POLL_MILLIS = 10;
    private static final int LEAST_AWAY_MILLIS = 500;
    private static final int MOST_AWAY_MILLIS = 2_000;

    private final ClusterPool pool;
    private final int readers;
    private final int tokens;
    private final RandomGenerator random;
    private final Consumer<String> step;
    private final PostedUsage usage;
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
        this.usage = new PostedUsage(pool);
    }

    /**
     * What is to be done.
     *
     * @param changeMembers whether coordinators join and are removed first, from one to five to
     *     three
     * @param rounds how many are killed
     * @param most time after which no more are
     * @param learned answers of each reader that tell which texts are right
     * @param control answers of each reader, after that, that tell how often texts differ
     *     undisturbed
     */
    public record Campaign(
            boolean changeMembers, int rounds, Duration most, int learned, int control) {}

    /** Runs one; some seconds for each round. */
    public CoordinatorFaultReport run(Campaign campaign) throws InterruptedException {
        List<InferenceClient> clients = clients();
        try (AckedCommands commands = new AckedCommands(pool, step)) {
            SteadyReaders steady =
                    new SteadyReaders(clients, pool.modelId(), readers, tokens, step);
            steady.start();
            step.accept("answers without kills, to know their texts");
            await(steady, campaign.learned());
            steady.enter(SteadyReaders.Phase.CONTROL);
            await(steady, campaign.control());
            SteadyReaders.Seen control = steady.enter(SteadyReaders.Phase.STRUCK);
            long term = term();
            commands.start();
            if (campaign.changeMembers()) {
                changeMembers(commands);
            }
            int done = rounds(campaign);
            SteadyReaders.Seen seen = steady.end();
            commands.end();
            long elections = term() - term;
            step.accept("comparing the books with what was generated");
            PostedUsage.Books books = usage.compare(steady.answered(), steady.received());
            NearTies ties = new NearTies(pool.channel(pool.ids().getFirst()), pool.modelId());
            return new CoordinatorFaultReport(
                    pool.ids().size(),
                    readers,
                    done,
                    leaders,
                    elections,
                    electionMillis,
                    returnMillis,
                    control,
                    seen,
                    ties.judge(steady.others()),
                    CoordinatorFaultReport.Commands.of(commands),
                    books);
        } finally {
            clients.forEach(InferenceClient::close);
        }
    }

    private int rounds(Campaign campaign) throws InterruptedException {
        long begun = System.nanoTime();
        int done = 0;
        while (done < campaign.rounds() && System.nanoTime() - begun < campaign.most().toNanos()) {
            round(++done, campaign.rounds());
            usage.look();
        }
        return done;
    }

    /** The highest term that any coordinator knows. */
    private long term() {
        return pool.ids().stream()
                .mapToLong(id -> pool.group(id).map(GroupReply::getTerm).orElse(0L))
                .max()
                .orElse(0);
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

    private static void await(SteadyReaders steady, int answers) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(QUIET_SECONDS);
        while (!steady.heard(answers)) {
            if (System.nanoTime() > end) {
                throw new BenchException(
                        "The readers did not get %d answers each in %d s."
                                .formatted(answers, QUIET_SECONDS));
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    /** One, three, five, three; the leader is the first that goes. */
    private void changeMembers(AckedCommands commands) throws InterruptedException {
        for (String id : List.of("c2", "c3", "c4", "c5")) {
            long begun = System.nanoTime();
            pool.add(id);
            told(id + " has joined", begun, commands);
        }
        for (int i = 0; i < 2; i++) {
            String leader = pool.leader();
            long begun = System.nanoTime();
            pool.remove(leader.isEmpty() ? pool.ids().getFirst() : leader);
            told(leader + ", which led, is removed", begun, commands);
        }
    }

    private void told(String what, long begunNanos, AckedCommands commands) {
        step.accept(
                "%s, in %.0f ms; the slowest command until now took %.0f ms"
                        .formatted(
                                what,
                                (System.nanoTime() - begunNanos) / 1e6,
                                commands.waitMillis().stream()
                                        .mapToDouble(Double::doubleValue)
                                        .max()
                                        .orElse(0)));
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
