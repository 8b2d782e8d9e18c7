package coop.sahkar.proto;

/**
 * Where a model may be cut: at multiples of its grain, and so that no part has fewer blocks than
 * the grain. An architecture whose blocks differ in turn (gemma3: every sixth attends to all) does
 * not load with fewer than one whole turn; so the last part takes what is left over.
 *
 * @param blockCount blocks of the model
 * @param grain blocks of one turn, at most {@code blockCount}
 */
public record Cuts(int blockCount, int grain) {
    public Cuts {
        if (grain < 1 || blockCount < grain) {
            throw new IllegalArgumentException(
                    "%d blocks cannot be cut by %d".formatted(blockCount, grain));
        }
    }

    /** Parts in the finest cut. */
    public int units() {
        return blockCount / grain;
    }

    /**
     * The blocks of the units {@code [firstUnit, endUnit)}.
     *
     * @throws IllegalArgumentException if these are no units of the model
     */
    public Span span(int firstUnit, int endUnit) {
        if (endUnit > units()) {
            throw new IllegalArgumentException("unit %d of %d".formatted(endUnit - 1, units()));
        }
        return new Span(firstUnit * grain, endUnit == units() ? blockCount : endUnit * grain);
    }

    /** Whether a model may be cut at both ends of {@code span}. */
    public boolean allow(Span span) {
        return begins(span.first()) && (span.isTail(blockCount) || begins(span.end()));
    }

    private boolean begins(int block) {
        return block % grain == 0 && block / grain < units();
    }
}
