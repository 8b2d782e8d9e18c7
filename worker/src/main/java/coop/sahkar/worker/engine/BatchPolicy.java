package coop.sahkar.worker.engine;

/**
 * How rows are put into batches. Goals, in this order: no stage of the ring stands idle while
 * another works; a token on its way is not held up by somebody's long prompt for more than one
 * chunk; prompts get on.
 *
 * <p>All sessions of a head would travel as one clump if it fed every row it has at once, and only
 * one stage would work at a time. So it feeds at most its share of them, as many as there are
 * stages in the ring to work on the other shares. For the same reason it does not join prompts to
 * one large batch.
 *
 * @param mostChunkRows positions in a chunk of a prompt, and rows of prompts in a batch, at most
 * @param besideDecodeRows rows of prompts in a batch that also has decode rows, at most: so long a
 *     token may be held up by somebody's prompt
 * @param leastChunkRows a chunk of fewer rows is not worth a batch
 * @param chunksPerStage how many chunks per stage a prompt should make, so that the pipe fills
 */
public record BatchPolicy(
        int mostChunkRows, int besideDecodeRows, int leastChunkRows, int chunksPerStage) {

    /** What a worker runs with. A frame of 128 positions fits a message at every width. */
    public static final BatchPolicy DEFAULT = new BatchPolicy(128, 64, 16, 8);

    /** Of every batch this share, one in so many rows, is kept for prompts that wait. */
    private static final int PREFILL_SHARE = 4;

    /** Matrix kernels work on so many rows at once; an odd rest takes as long as a full one. */
    private static final int KERNEL_ROWS = 16;

    /**
     * Of few rows they work on so many at once; each of the rest takes a third as long as these.
     */
    private static final int SMALL_KERNEL_ROWS = 4;

    public BatchPolicy {
        if (leastChunkRows < 1
                || mostChunkRows < leastChunkRows
                || besideDecodeRows < 1
                || besideDecodeRows > mostChunkRows
                || chunksPerStage < 1) {
            throw new IllegalArgumentException("batch policy that contradicts itself");
        }
    }

    /**
     * How many decode rows a head puts into one batch.
     *
     * @param decoding its generations whose prompt is through
     * @param stages stages of the longest route among them
     */
    public int decodeShare(int decoding, int stages) {
        int even = Math.max(1, Math.ceilDiv(decoding, stages));
        boolean cut = stages > 1 && even > SMALL_KERNEL_ROWS;
        return cut ? even - even % SMALL_KERNEL_ROWS : even;
    }

    /**
     * With how many rows of prompts in its batch a head takes no further prompt into it.
     *
     * @param stages stages of the longest route
     */
    public int enoughPrefillRows(int stages) {
        return stages == 1 ? mostChunkRows : leastChunkRows;
    }

    /**
     * How many decode rows a batch takes at most.
     *
     * @param maxRows what the stage takes at once
     * @param prefillWaits whether rows of prompts wait too
     */
    public int decodeRows(int maxRows, boolean prefillWaits) {
        int kept =
                prefillWaits ? Math.min(besideDecodeRows, Math.max(1, maxRows / PREFILL_SHARE)) : 0;
        return Math.max(1, maxRows - kept);
    }

    /** How many rows of prompts fit behind {@code decodeRows}. */
    public int prefillRows(int maxRows, int decodeRows) {
        int most = decodeRows == 0 ? mostChunkRows : besideDecodeRows;
        return Math.min(most, maxRows - decodeRows);
    }

    /** Positions in one chunk of a prompt of so many tokens on a route of so many stages. */
    public int chunkRows(int promptTokens, int stages) {
        if (stages == 1) {
            return mostChunkRows;
        }
        int even = Math.ceilDiv(promptTokens, stages * chunksPerStage);
        int whole = Math.ceilDiv(even, KERNEL_ROWS) * KERNEL_ROWS;
        return Math.clamp(whole, leastChunkRows, mostChunkRows);
    }

    /** How many chunks may be under way before the tail has acknowledged the first. */
    public int chunksInFlight(int stages) {
        return stages + 1;
    }
}
