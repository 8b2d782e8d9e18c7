package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.demo.ClusterPool;
import coop.sahkar.proto.v1.LedgerAmount;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LedgerPart;
import coop.sahkar.proto.v1.LedgerPosting;
import coop.sahkar.proto.v1.LedgerRequest;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Compares what coordinators posted to the books with what readers got: nothing may be posted
 * twice. A coordinator that is killed may have counted something that it has not posted yet, so
 * less may be in the books than was generated. Owned by one thread.
 */
final class PostedUsage {
    private static final int TIMEOUT_SECONDS = 20;
    private static final int POLL_MILLIS = 250;

    /** Beyond the interval: batches are on their way. */
    private static final int SPARE_MILLIS = 3_000;

    /** How coordinators reckon a prompt: a token for so many bytes, and one more. */
    private static final int PROMPT_BYTES_PER_TOKEN = 4;

    private final ClusterPool pool;
    private final Map<String, LedgerPosting> seen = new TreeMap<>();
    private int doubled;

    PostedUsage(ClusterPool pool) {
        this.pool = pool;
    }

    /**
     * What the books say beside what readers got.
     *
     * @param batches postings that were seen
     * @param doubled batches that were seen with two contents, or credits that no batch explains
     * @param postedMicros micro-credits posted, all together
     * @param generatedMicros what the tokens cost that readers got, and the prompts of their
     *     answers
     * @param intervalMillis how often a coordinator posts what it counted
     */
    record Books(
            int batches, int doubled, long postedMicros, long generatedMicros, int intervalMillis) {
        /** Whether nothing was posted twice. */
        boolean once() {
            return doubled == 0 && postedMicros <= generatedMicros;
        }

        double postedPart() {
            return generatedMicros == 0 ? 1 : (double) postedMicros / generatedMicros;
        }
    }

    /** Remembers the postings that are kept now. */
    void look() {
        read().ifPresent(this::note);
    }

    private void note(LedgerPart books) {
        for (LedgerPosting posting : books.getPostingsList()) {
            String name = posting.getCoordinator() + "#" + posting.getSequence();
            LedgerPosting before = seen.putIfAbsent(name, posting);
            if (before != null && !before.equals(posting)) {
                doubled++;
            }
        }
    }

    /**
     * Waits until everything that was counted is posted, and compares.
     *
     * @param answers of which at least one token came
     * @param tokens that came
     */
    Books compare(long answers, long tokens) throws InterruptedException {
        LedgerPart books = settled();
        note(books);
        long explained = 0;
        for (LedgerPosting posting : seen.values()) {
            explained += posting.getSpentList().stream().mapToLong(LedgerAmount::getMicros).sum();
        }
        long posted = books.getHead().getEarnedMicros();
        boolean sums = explained == posted && books.getHead().getSumMicros() == 0;
        int prompt =
                1
                        + SteadyReaders.prompt(0).getBytes(StandardCharsets.UTF_8).length
                                / PROMPT_BYTES_PER_TOKEN;
        long generated =
                pool.blocks()
                        * (answers * prompt * books.getHead().getPromptPriceMicros()
                                + tokens * books.getHead().getAnswerPriceMicros());
        return new Books(
                seen.size(),
                doubled + (sums ? 0 : 1),
                posted,
                generated,
                books.getHead().getUsageIntervalMillis());
    }

    /** The books once an interval has gone by and nothing is posted any more. */
    private LedgerPart settled() throws InterruptedException {
        long begun = System.nanoTime();
        while (true) {
            Optional<LedgerPart> books = read();
            long interval = books.map(b -> b.getHead().getUsageIntervalMillis()).orElse(0);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
            if (books.isPresent() && millis > interval + SPARE_MILLIS) {
                return books.get();
            }
            if (millis > TimeUnit.SECONDS.toMillis(TIMEOUT_SECONDS) + interval) {
                throw new BenchException("No coordinator shows the books.");
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private Optional<LedgerPart> read() {
        LedgerRequest all = LedgerRequest.newBuilder().setPostings(true).setLatest(true).build();
        for (String id : pool.ids()) {
            try {
                Iterator<LedgerPart> parts =
                        LedgerGrpc.newBlockingStub(pool.channel(id))
                                .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                                .read(all);
                LedgerPart.Builder books = LedgerPart.newBuilder();
                parts.forEachRemaining(books::mergeFrom);
                return Optional.of(books.build());
            } catch (StatusRuntimeException e) {
                // This one is away; another shows the same.
            }
        }
        return Optional.empty();
    }
}
