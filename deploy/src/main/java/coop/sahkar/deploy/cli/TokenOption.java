package coop.sahkar.deploy.cli;

import coop.sahkar.proto.tls.JoinToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A token to join a co-operative with, kept off the command line, which everybody can read. */
final class TokenOption {
    private static final long MAX_BYTES = 8192;

    @Option(
            names = "--join",
            paramLabel = "FILE",
            description = {
                "Join a co-operative first, with the token in this file, or on standard input for -. The environment can hold the token itself (SAHKAR_JOIN). It is used once: the certificate is kept in the data folder and renewed by itself."
            })
    private @Nullable String where;

    /**
     * The token; null if none was named.
     *
     * @throws CommandFailure in a sentence that does not show it
     */
    @Nullable JoinToken token() {
        String named = where;
        if (named == null) {
            return null;
        }
        try {
            return JoinToken.parse(named.startsWith(JoinToken.PREFIX) ? named : read(named));
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "The token cannot be read from %s (%s).".formatted(named, e.getMessage()),
                    e);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--join: " + e.getMessage() + ".", e);
        }
    }

    private static String read(String named) throws IOException {
        if (named.equals("-")) {
            String line =
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                            .readLine();
            return line == null ? "" : line;
        }
        Path file = Path.of(named);
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException("it is too long for a token");
        }
        return Files.readString(file);
    }
}
