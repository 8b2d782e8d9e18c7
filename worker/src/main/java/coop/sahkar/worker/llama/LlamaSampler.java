package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.TokenSampler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Chooses tokens through llama.cpp's samplers, in this order: logit bias, penalties, and then, if
 * the temperature is 0, the likeliest token; otherwise top-k, typical, top-p, min-p, temperature,
 * and a draw. Where the grammar does not allow what comes out, that is done once more with what it
 * allows, and with another draw: trying one token against a grammar is cheap, trying all is not.
 *
 * <p>The draw is ours: llama.cpp's depends on the C++ library it was built with, and a token must
 * come out the same on every tail. {@link PositionRandom} and {@link Candidates#draw} define it.
 */
final class LlamaSampler implements TokenSampler {
    private final SamplerCalls calls;
    private final Candidates candidates;
    private final Sampling sampling;
    private final @Nullable MemorySegment bias;
    private final @Nullable Penalties penalties;
    private final List<MemorySegment> filters;
    private final @Nullable TokenGrammar grammar;
    private boolean closed;

    /**
     * @param vocabulary llama.cpp's handle
     */
    LlamaSampler(
            SamplerCalls calls,
            Candidates candidates,
            MemorySegment vocabulary,
            Sampling sampling) {
        requireUsable(sampling, candidates.vocabulary());
        this.calls = calls;
        this.candidates = candidates;
        this.sampling = sampling;
        grammar =
                sampling.grammar().isEmpty()
                        ? null
                        : new TokenGrammar(calls, vocabulary, candidates, sampling);
        bias = sampling.logitBias().isEmpty() ? null : openBias();
        penalties =
                Penalties.areOn(sampling)
                        ? new Penalties(calls, candidates.vocabulary(), sampling)
                        : null;
        filters = isGreedy() ? List.of() : openFilters();
    }

    private static void requireUsable(Sampling sampling, int vocabulary) {
        require(
                sampling.temperature() >= 0 && Float.isFinite(sampling.temperature()),
                "the temperature must be 0 or more");
        require(
                sampling.repetitionPenalty() > 0 && Float.isFinite(sampling.repetitionPenalty()),
                "the repetition penalty must be more than 0");
        require(
                Float.isFinite(sampling.frequencyPenalty())
                        && Float.isFinite(sampling.presencePenalty()),
                "penalties must be finite");
        require(sampling.penaltyWindow() >= -1, "the penalty window must be -1 or more");
        require(
                !Float.isNaN(sampling.topP() + sampling.minP() + sampling.typicalP()),
                "probabilities must be numbers");
        for (Map.Entry<Integer, Float> entry : sampling.logitBias().entrySet()) {
            int token = entry.getKey();
            require(
                    token >= 0 && token < vocabulary && Float.isFinite(entry.getValue()),
                    "the logit bias of token %d must be finite, and the token below %d"
                            .formatted(token, vocabulary));
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private MemorySegment openBias() {
        int count = sampling.logitBias().size();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entries = arena.allocate(JAVA_INT, 2L * count);
            int at = 0;
            for (Map.Entry<Integer, Float> entry : sampling.logitBias().entrySet()) {
                entries.setAtIndex(JAVA_INT, at++, entry.getKey());
                entries.setAtIndex(JAVA_FLOAT, at++, entry.getValue());
            }
            return calls.logitBias(candidates.vocabulary(), count, entries);
        }
    }

    private List<MemorySegment> openFilters() {
        List<MemorySegment> open = new ArrayList<>();
        if (sampling.topK() > 0) {
            open.add(calls.topK(sampling.topK()));
        }
        if (sampling.typicalP() < 1) {
            open.add(calls.typical(sampling.typicalP()));
        }
        if (sampling.topP() < 1) {
            open.add(calls.topP(sampling.topP()));
        }
        if (sampling.minP() > 0) {
            open.add(calls.minP(sampling.minP()));
        }
        if (sampling.temperature() != 1) {
            open.add(calls.temperature(sampling.temperature()));
        }
        return open;
    }

    private boolean isGreedy() {
        return sampling.temperature() == 0;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the logits are not numbers, or the sampler is closed
     */
    @Override
    public int sample(MemorySegment logits, int position, int[] history) {
        if (closed) {
            throw new IllegalStateException("the sampler is closed");
        }
        require(position >= 0 && position <= history.length, "history is shorter than position");
        int likeliest = likeliest(logits, position);
        boolean plain = isGreedy() && bias == null && penalties == null;
        double unit = PositionRandom.unit(sampling.seed(), position);
        int free = plain ? likeliest : choose(logits, position, history, unit, null);
        if (grammar == null) {
            return free;
        }
        grammar.follow(position, history);
        return grammar.allows(free)
                ? free
                : choose(
                        logits,
                        position,
                        history,
                        PositionRandom.unit(~sampling.seed(), position),
                        grammar);
    }

    private int choose(
            MemorySegment logits,
            int position,
            int[] history,
            double unit,
            @Nullable TokenGrammar allowed) {
        candidates.fill(logits);
        MemorySegment array = candidates.array();
        if (bias != null) {
            calls.apply(bias, array);
        }
        if (penalties != null) {
            penalties.apply(array, position, history);
        }
        if (allowed != null) {
            allowed.apply(position);
        }
        filters.forEach(filter -> calls.apply(filter, array));
        return isGreedy() ? candidates.likeliest() : candidates.draw(unit);
    }

    /** The likeliest token, after a look at every logit: samplers would not survive a NaN. */
    private int likeliest(MemorySegment logits, int position) {
        int best = -1;
        float bestLogit = Float.NEGATIVE_INFINITY;
        boolean usable = true;
        for (int id = 0; id < candidates.vocabulary(); id++) {
            float logit = logits.getAtIndex(JAVA_FLOAT, id);
            usable &= logit < Float.POSITIVE_INFINITY;
            if (logit > bestLogit) {
                bestLogit = logit;
                best = id;
            }
        }
        if (!usable || best < 0) {
            throw new IllegalStateException(
                    "the model's output for position "
                            + position
                            + " is not a number; its weights, or the stages before, are damaged");
        }
        return best;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (bias != null) {
            calls.free(bias);
        }
        if (penalties != null) {
            penalties.close();
        }
        filters.forEach(calls::free);
        if (grammar != null) {
            grammar.close();
        }
    }
}
