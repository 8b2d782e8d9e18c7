package coop.sahkar.worker.llama;

import coop.sahkar.worker.engine.Sampling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What a grammar allows after the tokens generated so far, through llama.cpp. Its state is that of
 * the tokens it was last shown: where they are not what a call says, as after a repair, it starts
 * again and follows them from the first on. Nothing is accepted that the grammar does not allow:
 * llama.cpp would end the process.
 */
final class TokenGrammar implements AutoCloseable {
    private static final String ROOT = "root ::= ";

    private final SamplerCalls calls;
    private final Candidates candidates;
    private final MemorySegment sampler;
    private final int from;
    private int[] followed = new int[64];
    private int count;

    /**
     * @param vocabulary llama.cpp's handle
     * @param sampling with a grammar
     * @throws IllegalArgumentException if llama.cpp cannot read it
     */
    TokenGrammar(
            SamplerCalls calls,
            MemorySegment vocabulary,
            Candidates candidates,
            Sampling sampling) {
        this.calls = calls;
        this.candidates = candidates;
        this.from = sampling.grammarFrom();
        sampler = read(vocabulary, sampling.grammar());
        if (allowsEverything(sampler)) {
            requireReadable(vocabulary, sampling.grammar());
        }
    }

    private MemorySegment read(MemorySegment vocabulary, String grammar) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment read =
                    calls.grammar(
                            vocabulary, arena.allocateFrom(grammar), arena.allocateFrom("root"));
            if (read.address() == 0) {
                throw new IllegalArgumentException("the grammar cannot be read");
            }
            return read;
        }
    }

    private boolean allowsEverything(MemorySegment grammar) {
        candidates.all();
        calls.apply(grammar, candidates.array());
        return candidates.dropImpossible() == candidates.vocabulary();
    }

    /**
     * llama.cpp b4916 makes of what it cannot read a grammar that allows everything; so does one
     * for calls within text, to begin with. That one does not with something in front of its root.
     */
    private void requireReadable(MemorySegment vocabulary, String grammar) {
        boolean readable = false;
        if (grammar.startsWith(ROOT) && grammar.lastIndexOf("root") == 0) {
            MemorySegment probe =
                    read(vocabulary, ROOT + "\"x\" " + grammar.substring(ROOT.length()));
            readable = !allowsEverything(probe);
            calls.free(probe);
        }
        if (!readable) {
            calls.free(sampler);
            throw new IllegalArgumentException(
                    "the grammar cannot be read, or allows every token to begin with");
        }
    }

    /**
     * Brings the state behind the tokens before {@code position}.
     *
     * @throws IllegalStateException if the grammar does not allow them
     */
    void follow(int position, int[] history) {
        int wanted = Math.max(0, position - from);
        int same = Math.min(count, wanted);
        if (count > wanted || !Arrays.equals(followed, 0, same, history, from, from + same)) {
            calls.reset(sampler);
            count = 0;
        }
        followed = wanted > followed.length ? Arrays.copyOf(followed, 2 * wanted) : followed;
        while (count < wanted) {
            int token = history[from + count];
            if (!allows(token)) {
                throw new IllegalStateException(
                        "the answer left its grammar at position " + (from + count));
            }
            calls.accept(sampler, token);
            followed[count++] = token;
        }
    }

    /** Whether the token may come next. Leaves no candidate but it. */
    boolean allows(int token) {
        candidates.only(token);
        calls.apply(sampler, candidates.array());
        return candidates.dropImpossible() == 1;
    }

    /**
     * Leaves the candidates that may come next.
     *
     * @throws IllegalStateException if there is none
     */
    void apply(int position) {
        calls.apply(sampler, candidates.array());
        if (candidates.dropImpossible() == 0) {
            throw new IllegalStateException(
                    "no token of the model goes on in the grammar at position " + position);
        }
    }

    @Override
    public void close() {
        calls.free(sampler);
    }
}
