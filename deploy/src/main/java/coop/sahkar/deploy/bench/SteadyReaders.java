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
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Readers that ask again and again, all at once, and look at what they get: each token once and in
 * order, and a text that was also seen while nothing happened. Several texts may be right: rows of
 * many sessions are computed together, and where two tokens are nearly even, sums that are rounded
 * otherwise choose the other one.
 */
final class SteadyReaders {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final int MOST_FAILURES_TOLD = 5;

    private final List<InferenceClient> clients;
    private final String modelId;
    private final int readers;
    private final int tokens;
    private final Consumer<String> step;
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Integer, Set<String>> calm = new TreeMap<>(); // guarded by this
    private final List<Double> pauseMillis = new ArrayList<>(); // guarded by this
    private boolean quiet = true; // guarded by this
    private int finished; // guarded by this
    private int broken; // guarded by this
    private int torn; // guarded by this
    private int otherWords; // guarded by this
    private volatile boolean over;

    /**
     * What they saw since the quiet time was over.
     *
     * @param finished answers that came to their end
     * @param broken answers that failed
     * @param torn answers in which a token was missing, doubled or out of order
     * @param otherWords whole answers whose text was not seen in the quiet time
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

    /** Whether each has heard this many whole answers in the quiet time. */
    synchronized boolean heard(int answers) {
        return finished >= answers * readers;
    }

    /** From here on something may happen. */
    synchronized void quietIsOver() {
        quiet = false;
        finished = 0;
        broken = 0;
        torn = 0;
        otherWords = 0;
        pauseMillis.clear();
    }

    /** Lets each end its answer. */
    Seen end() throws InterruptedException {
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
        synchronized (this) {
            return new Seen(finished, broken, torn, otherWords, List.copyOf(pauseMillis));
        }
    }

    private void read(int reader) {
        InferenceClient client = clients.get(reader % clients.size());
        while (!over) {
            answer(client, reader);
        }
    }

    private void answer(InferenceClient client, int reader) {
        StringBuilder text = new StringBuilder();
        List<Integer> positions = new ArrayList<>();
        double longest = 0;
        long last = 0;
        try (TokenStream stream = client.stream(request(reader))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                long now = System.nanoTime();
                longest = last == 0 ? 0 : Math.max(longest, (now - last) / 1e6);
                last = now;
                text.append(piece.text());
                for (int i = 0; i < piece.tokens(); i++) {
                    positions.add(piece.position() + i);
                }
            }
            whole(reader, text.toString(), positions, longest);
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
        String prompt = "Once upon a time there were %d friends who".formatted(reader + 2);
        return InferenceRequest.prompt(modelId, prompt).with(greedy);
    }

    private synchronized void whole(
            int reader, String text, List<Integer> positions, double longest) {
        finished++;
        pauseMillis.add(longest);
        if (!consecutive(positions)) {
            torn++;
        }
        Set<String> known = calm.computeIfAbsent(reader, _ -> new TreeSet<>());
        if (quiet) {
            known.add(text);
        } else if (!known.contains(text)) {
            otherWords++;
        }
    }

    private synchronized void failed(InferenceException e, int after) {
        broken++;
        if (broken <= MOST_FAILURES_TOLD) {
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
