package coop.sahkar.deploy.cli;

import coop.sahkar.proto.Limits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** What is piped into a command. */
final class Piped {
    /** It is read up to here; the pool refuses more anyway. */
    private static final int MAX_BYTES = Limits.MAX_PROMPT_BYTES;

    private Piped() {}

    /**
     * All of it, as it is.
     *
     * @throws CommandFailure if there is nothing but blanks, or too much
     */
    static String text() throws IOException {
        byte[] bytes = System.in.readNBytes(MAX_BYTES + 1);
        if (bytes.length > MAX_BYTES) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "What is piped in is longer than %d bytes, the longest prompt."
                            .formatted(MAX_BYTES));
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.isBlank()) {
            throw new CommandFailure(
                    ExitCode.USAGE, "There is no prompt: give one, or pipe one in.");
        }
        return text;
    }
}
