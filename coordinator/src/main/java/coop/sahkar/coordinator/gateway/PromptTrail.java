package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.Started;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The trail of a plain prompt, which has no messages: one link for every so many bytes of prompt
 * and answer. What goes on in it begins with the same bytes, and so has the same links.
 */
final class PromptTrail implements Trail {
    /** Bytes of one link. What is shorter does not rest: it is computed in no time. */
    static final int LINK_BYTES = 128;

    /** Beginnings that are looked for: of a longer prompt only those that lack little of it. */
    private static final int MOST_BEGINNINGS = 1024;

    private final Deque<ByteBuffer> beginnings = new ArrayDeque<>();
    private final HashChain chain;
    private int filled;

    private PromptTrail(HashChain chain) {
        this.chain = chain;
    }

    /** Goes on in a chain that has said whose prompt it is and for which model. */
    static PromptTrail of(HashChain chain, String prompt) {
        PromptTrail trail = new PromptTrail(chain);
        trail.answer(prompt);
        return trail;
    }

    /** Nothing in plain text is a call. */
    @Override
    public void started(Started started) {}

    @Override
    public void answer(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int from = 0;
        while (from < bytes.length) {
            int count = Math.min(bytes.length - from, LINK_BYTES - filled);
            chain.say(bytes, from, count);
            from += count;
            filled += count;
            if (filled == LINK_BYTES) {
                link();
            }
        }
    }

    @Override
    public @Nullable ByteBuffer answered() {
        return beginnings.peekFirst();
    }

    @Override
    public List<ByteBuffer> beginnings() {
        return List.copyOf(beginnings);
    }

    private void link() {
        filled = 0;
        beginnings.addFirst(chain.link());
        if (beginnings.size() > MOST_BEGINNINGS) {
            beginnings.removeLast();
        }
    }
}
