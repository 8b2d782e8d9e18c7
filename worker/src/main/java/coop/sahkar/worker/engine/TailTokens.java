package coop.sahkar.worker.engine;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tokens of one session as the tail knows them, and how it chooses the next. */
final class TailTokens {
    private final Stage stage;
    private int[] tokens = new int[0];
    private @Nullable TokenSampler sampler;

    TailTokens(Stage stage) {
        this.stage = stage;
    }

    /** A slice is computed, of a session that may have so many positions. */
    void remember(Slice slice, int maxPositions) {
        int needed = slice.endPosition();
        if (tokens.length < needed) {
            int grown = Math.max(needed, tokens.length + tokens.length / 2);
            tokens = Arrays.copyOf(tokens, Math.min(grown, maxPositions));
        }
        System.arraycopy(slice.tokens(), 0, tokens, slice.firstPosition(), slice.count());
    }

    /** They are these: another tail has told them. */
    void are(int[] told) {
        tokens = told;
    }

    /** The first of them. */
    int[] first(int count) {
        return Arrays.copyOf(tokens, count);
    }

    /** Chooses the token after the {@code held} that there are. */
    int sample(int row, int held, Sampling sampling) {
        TokenSampler mine = sampler;
        if (mine == null) {
            mine = stage.sampler(sampling);
            sampler = mine;
        }
        return mine.sample(stage.logits(row), held, tokens);
    }

    /** How likely the chosen token and others were, as far as the session asks for it. */
    List<TokenChance> chances(int row, int chosen, Sampling sampling) {
        return sampling.chances() == 0
                ? List.of()
                : TokenChance.of(
                        stage.logits(row),
                        stage.shape().vocabulary(),
                        chosen,
                        sampling.chances() - 1);
    }

    /** The next one is chosen afresh, perhaps in another way. */
    void closeSampler() {
        if (sampler != null) {
            sampler.close();
            sampler = null;
        }
    }
}
