package coop.sahkar.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The same commands give the same bytes in other processes, languages, time zones and charsets. */
class OtherMachinesTest {
    private static final long SEED = 20;

    /** Prints the hash of a snapshot. */
    static final class Hash {
        private Hash() {}

        public static void main(String[] args) {
            System.out.println(hash());
        }
    }

    @Test
    void theSnapshotIsTheSameEverywhere() throws IOException, InterruptedException {
        List<Process> others = new ArrayList<>();
        others.add(start("-Duser.language=ar", "-Duser.country=EG", "-Dfile.encoding=UTF-16"));
        others.add(start("-Duser.language=tr", "-Duser.timezone=Asia/Kathmandu", "-Xint"));
        others.add(start("-Duser.language=th", "-Dfile.encoding=ISO-8859-1", "-XX:hashCode=2"));
        for (Process other : others) {
            byte[] said = other.getInputStream().readAllBytes();
            assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(new String(said, StandardCharsets.US_ASCII)).contains(hash());
        }
    }

    private static Process start(String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UnlockExperimentalVMOptions", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(options));
        command.addAll(
                List.of(
                        "-Dstdout.encoding=US-ASCII",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Hash.class.getName()));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String hash() {
        try {
            byte[] snapshot = TransitionPropertyTest.snapshotAfter(SEED);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(snapshot));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
