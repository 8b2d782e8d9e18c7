package coop.sahkar.worker.head;

/**
 * The tokens of a session as a generation left them.
 *
 * @param tokens from position 0; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // made once, read by its owner, never compared
public record PastTurn(int[] tokens) {
    /** How many tokens from position 0 on are the same in another generation. */
    public int common(GenerationStart other) {
        int[] prompt = other.prompt();
        int[] committed = other.committed();
        int length = Math.min(tokens.length, prompt.length + committed.length);
        for (int i = 0; i < length; i++) {
            int token = i < prompt.length ? prompt[i] : committed[i - prompt.length];
            if (token != tokens[i]) {
                return i;
            }
        }
        return length;
    }
}
