package coop.sahkar.deploy.bench;

import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Readers that ask again and again, all at once, and look at what they get: each token once and in
 * order, and a text that was also seen while nothing happened. Several texts may be right: rows of
 * many sessions are computed together, and where two tokens are nearly even, sums that are rounded
 * otherwise choose the other one. What is in other words is kept for {@link NearTies} to judge.
 */
final class SteadyReaders {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final int MOST_FAILURES_TOLD = 5;

    /** Answers in other words that are kept to be looked at. */
    private static final int MOST_KEPT = 200;

    private final List<InferenceClient> clients;
    private final String modelId;
    private final int readers;
    private final int tokens;
    private final Consumer<String> step;
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Integer, List<Heard>> calm = new TreeMap<>(); // guarded by this
    private final List<OtherWords> others = new ArrayList<>(); // guarded by this
    private Phase phase = Phase.LEARNING; // guarded by this
    private Tally tally = new Tally(); // guarded by this
    private long answered; // guarded by this
    private long received; // guarded by this
    private volatile boolean over;

    /** What is done meanwhile. */
    enum Phase {
        /** Nothing happens; each text is right. */
        LEARNING,
        /** Nothing happens; it is seen how often texts differ all the same. */
        CONTROL,
        /** Anything may happen. */
        STRUCK
    }

    /**
     * An answer, piece by piece.
     *
     * @param pieces in order, mostly of one token each
     */
    record Heard(List<String> pieces) {
        String text() {
            return String.join("", pieces);
        }
    }

    /**
     * An answer whose text was not seen while the readers learned.
     *
     * @param prompt what was asked
     * @param known what was answered to it while they learned
     */
    record OtherWords(String prompt, List<Heard> known, Heard answer) {}

    /** Counts of one phase. */
    private static final class Tally {
        private int finished;
        private int broken;
        private int torn;
        private int otherWords;
        private final List<Double> pauseMillis = new ArrayList<>();
    }

    /**
     * What they saw in one phase.
     *
     * @param finished answers that came to their end
     * @param broken answers that failed
     * @param torn answers in which a token was missing, doubled or out of order
     * @param otherWords whole answers whose text was not seen while they learned
     * @param pauseMillis the longest pause of each answer
     */
    record Seen(int finished, int broken, int torn, int otherWords, List<Double> pauseMillis) {}

    /**
     * @param clients the readers share these in turn
     * @param tokens most of each answer
     * @param step is told of answers that failed
     */
    SteadyReaders(
            List<InferenceClient> clients,
            String modelId,
            int readers,
            int tokens,
            Consumer<String> step) {
        this.clients = clients;
        this.modelId = modelId;
        this.readers = readers;
        this.tokens = tokens;
        this.step = step;
    }

    void start() {
        for (int i = 0; i < readers; i++) {
            int reader = i;
            threads.add(Thread.ofVirtual().name("reader-" + i).start(() -> read(reader)));
        }
    }

    /** Whether this many answers for each reader have come to their end in this phase. */
    synchronized boolean heard(int answers) {
        return tally.finished >= answers * readers;
    }

    /** Another phase begins; what was seen in the one before. */
    synchronized Seen enter(Phase next) {
        Seen seen = seen();
        phase = next;
        tally = new Tally();
        return seen;
    }

    private Seen seen() {
        return new Seen(
                tally.finished,
                tally.broken,
                tally.torn,
                tally.otherWords,
                List.copyOf(tally.pauseMillis));
    }

    /** Lets each end its answer; what was seen in the last phase. */
    Seen end() throws InterruptedException {
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
        synchronized (this) {
            return seen();
        }
    }

    /** The answers in other words that are kept, of all phases. */
    synchronized List<OtherWords> others() {
        return List.copyOf(others);
    }

    /** Answers of which at least one token came, in all phases. */
    synchronized long answered() {
        return answered;
    }

    /** Tokens that came, in all phases. */
    synchronized long received() {
        return received;
    }

    private void read(int reader) {
        InferenceClient client = clients.get(reader % clients.size());
        while (!over) {
            answer(client, reader);
        }
    }

    private void answer(InferenceClient client, int reader) {
        List<String> pieces = new ArrayList<>();
        List<Integer> positions = new ArrayList<>();
        double longest = 0;
        long last = 0;
        try (TokenStream stream = client.stream(request(reader))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                long now = System.nanoTime();
                longest = last == 0 ? 0 : Math.max(longest, (now - last) / 1e6);
                last = now;
                pieces.add(piece.text());
                for (int i = 0; i < piece.tokens(); i++) {
                    positions.add(piece.position() + i);
                }
            }
            whole(reader, new Heard(pieces), positions, longest);
        } catch (InferenceException e) {
            failed(e, positions.size());
        }
    }

    private InferenceRequest request(int reader) {
        GenerationOptions greedy =
                GenerationOptions.builder()
                        .temperature(0)
                        .maxTokens(tokens)
                        .timeout(TIMEOUT)
                        .build();
        return InferenceRequest.prompt(modelId, prompt(reader)).with(greedy);
    }

    /** What a reader asks; of the same length for all. */
    static String prompt(int reader) {
        return "Once upon a time there were %02d friends who".formatted(reader + 2);
    }

    private synchronized void whole(
            int reader, Heard answer, List<Integer> positions, double longest) {
        tally.finished++;
        tally.pauseMillis.add(longest);
        count(positions.size());
        if (!consecutive(positions)) {
            tally.torn++;
        }
        List<Heard> known = calm.computeIfAbsent(reader, _ -> new ArrayList<>());
        boolean seenBefore = known.stream().anyMatch(one -> one.text().equals(answer.text()));
        if (seenBefore) {
            return;
        }
        if (phase == Phase.LEARNING) {
            known.add(answer);
            return;
        }
        tally.otherWords++;
        if (others.size() < MOST_KEPT) {
            others.add(new OtherWords(prompt(reader), List.copyOf(known), answer));
        }
    }

    private void count(int tokensHere) {
        received += tokensHere;
        answered += tokensHere > 0 ? 1 : 0;
    }

    private synchronized void failed(InferenceException e, int after) {
        tally.broken++;
        count(after);
        if (tally.broken <= MOST_FAILURES_TOLD) {
            step.accept("an answer failed after %d tokens: %s".formatted(after, e.getMessage()));
        }
    }

    private static boolean consecutive(List<Integer> positions) {
        for (int i = 1; i < positions.size(); i++) {
            if (positions.get(i) != positions.get(i - 1) + 1) {
                return false;
            }
        }
        return true;
    }
}
