package coop.sahkar.deploy.demo;

import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.proto.RouteStage;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Asks a demo's pool and kills one worker of the route in the middle of the answer, without
 * warning; then says what the reader noticed.
 */
public final class Chaos {
    private final DemoPool pool;
    private final InferenceClient client;

    /** Which worker of a route is killed. */
    public enum Victim {
        /** The one that holds the first blocks and drives the generation. */
        HEAD,
        /** One between. */
        MIDDLE,
        /** The one that holds the last blocks and chooses the tokens. */
        TAIL;

        private RouteStage of(List<RouteStage> route) {
            return switch (this) {
                case HEAD -> route.getFirst();
                case MIDDLE -> route.get(route.size() / 2);
                case TAIL -> route.getLast();
            };
        }
    }

    /**
     * An answer and what it went through.
     *
     * @param text all of it
     * @param tokens committed, each reported once
     * @param killed id of the worker that was killed; empty if the answer was too short for that
     * @param pauseMillis from the last token before the kill to the first after it
     */
    public record Ordeal(String text, int tokens, String killed, long pauseMillis) {}

    /** Watches an answer come. */
    public interface Watcher {
        /** More text. */
        void text(String text);

        /** A worker was killed. */
        void killed(RouteStage stage);
    }

    public Chaos(DemoPool pool, InferenceClient client) {
        this.pool = pool;
        this.client = client;
    }

    /** The greedy answer when nothing happens. */
    public Ordeal undisturbed(String question) {
        try (TokenStream stream = stream(question)) {
            Reading reading = new Reading();
            while (stream.hasNext()) {
                reading.take(stream.next());
            }
            return new Ordeal(stream.completion().text(), reading.tokens, "", 0);
        }
    }

    /**
     * The greedy answer while a worker dies.
     *
     * @param victim who
     * @param afterTokens when: so many tokens of the answer have come
     * @throws DemoException if a token came twice or was left out
     */
    public Ordeal disturbed(String question, Victim victim, int afterTokens, Watcher watcher) {
        try (TokenStream stream = stream(question)) {
            Reading reading = new Reading();
            String killed = "";
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                reading.take(piece);
                watcher.text(piece.text());
                if (killed.isEmpty() && reading.tokens >= afterTokens) {
                    RouteStage stage = victim.of(stream.answering().orElseThrow().route());
                    killed = stage.workerId();
                    pool.kill(killed);
                    watcher.killed(stage);
                    reading.killed();
                }
            }
            return new Ordeal(
                    stream.completion().text(), reading.tokens, killed, reading.pauseMillis());
        }
    }

    /** Starts a killed worker again, and waits until everyone serves what they should. */
    public void revive(String workerId) throws InterruptedException {
        pool.revive(workerId);
    }

    private TokenStream stream(String question) {
        GenerationOptions greedy = GenerationOptions.builder().temperature(0).build();
        return client.stream(InferenceRequest.ask(pool.modelId(), question).with(greedy));
    }

    /** Counts tokens and looks at the clock. */
    private static final class Reading {
        private int due = -1;
        private int tokens;
        private long lastNanos;
        private long longestNanos;
        private boolean disturbed;

        void take(TextPiece piece) {
            if (piece.tokens() == 0) {
                return;
            }
            if (due >= 0 && piece.position() != due) {
                throw new DemoException(
                        "Position %d came where %d was due.".formatted(piece.position(), due));
            }
            due = piece.position() + piece.tokens();
            tokens += piece.tokens();
            long now = System.nanoTime();
            if (disturbed) {
                longestNanos = Math.max(longestNanos, now - lastNanos);
            }
            lastNanos = now;
        }

        void killed() {
            disturbed = true;
        }

        long pauseMillis() {
            return TimeUnit.NANOSECONDS.toMillis(longestNanos);
        }
    }
}
