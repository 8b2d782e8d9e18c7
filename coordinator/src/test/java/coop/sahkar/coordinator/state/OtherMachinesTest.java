package coop.sahkar.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.log.SnapshotCodec;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same log gives the same snapshot in other processes, whatever their language, digits, time
 * zone, charset and order of hashes: from its first entry, and from a snapshot in its middle.
 */
class OtherMachinesTest {
    private static final long[] SEEDS = {20, 21, 22};
    private static final int MOST_SECONDS = 60;

    @TempDir Path directory;

    /** How another machine is set up, and what shows that it is. */
    private record Machine(String shows, List<String> options) {}

    /** Replays a log and prints how this machine is set up, and hashes of snapshots. */
    static final class Replay {
        private Replay() {}

        public static void main(String[] args) throws IOException {
            System.out.println(machine());
            for (String log : args) {
                System.out.println(hash(read(Path.of(log))));
            }
        }

        private static String machine() {
            StringBuilder ascii = new StringBuilder();
            "%d %s %s %s"
                    .formatted(
                            12,
                            "TITLE".toLowerCase(Locale.getDefault()),
                            Charset.defaultCharset(),
                            TimeZone.getDefault().getID())
                    .chars()
                    .forEach(c -> ascii.append(c < 128 ? "" + (char) c : "<" + c + ">"));
            return ascii.toString();
        }
    }

    @Test
    void theSnapshotIsTheSameEverywhere() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        StringBuilder expected = new StringBuilder();
        for (long seed : SEEDS) {
            List<byte[]> log = TransitionPropertyTest.log(seed);
            Path file = directory.resolve("log-" + seed);
            write(log, file);
            command.add(file.toString());
            expected.append(hash(log)).append('\n');
        }
        List<Machine> machines = machines();
        List<Process> running = new ArrayList<>();
        for (Machine machine : machines) {
            running.add(start(machine.options(), command));
        }
        for (int i = 0; i < machines.size(); i++) {
            byte[] said = running.get(i).getInputStream().readAllBytes();
            assertThat(running.get(i).waitFor(MOST_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(new String(said, StandardCharsets.US_ASCII))
                    .contains(machines.get(i).shows())
                    .endsWith(expected);
        }
    }

    private static List<Machine> machines() {
        return List.of(
                new Machine(
                        "<1633><1634> title UTF-16 ",
                        language("ar", "EG", "u-nu-arab", "-Dfile.encoding=UTF-16")),
                new Machine(
                        "12 t<305>tle UTF-8 Asia/Kathmandu",
                        language("tr", "TR", "", "-Duser.timezone=Asia/Kathmandu", "-Xint")),
                new Machine(
                        "<2407><2408> title ISO-8859-1 Pacific/Chatham",
                        language(
                                "hi",
                                "IN",
                                "u-nu-deva",
                                "-Duser.timezone=Pacific/Chatham",
                                "-Dfile.encoding=ISO-8859-1",
                                "-XX:hashCode=2")),
                new Machine(
                        "<3665><3666> title UTF-16LE ",
                        language("th", "TH", "u-nu-thai", "-Dfile.encoding=UTF-16LE")));
    }

    private static List<String> language(
            String language, String country, String extensions, String... more) {
        List<String> options = new ArrayList<>();
        options.add("-Duser.language=" + language);
        options.add("-Duser.country=" + country);
        options.add("-Duser.extensions=" + extensions);
        options.addAll(List.of(more));
        return options;
    }

    private static Process start(List<String> options, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UnlockExperimentalVMOptions", "-XX:TieredStopAtLevel=1"));
        command.addAll(options);
        command.addAll(
                List.of(
                        "-Dstdout.encoding=US-ASCII",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Replay.class.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static void write(List<byte[]> log, Path file) throws IOException {
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(file))) {
            out.writeInt(log.size());
            for (byte[] entry : log) {
                out.writeInt(entry.length);
                out.write(entry);
            }
        }
    }

    private static List<byte[]> read(Path file) throws IOException {
        try (InputStream bytes = new BufferedInputStream(Files.newInputStream(file));
                DataInputStream in = new DataInputStream(bytes)) {
            List<byte[]> log = new ArrayList<>();
            for (int left = in.readInt(); left > 0; left--) {
                log.add(in.readNBytes(in.readInt()));
            }
            return log;
        }
    }

    private static String hash(List<byte[]> log) throws IOException {
        int middle = log.size() / 2;
        PoolState half = TransitionPropertyTest.replay(PoolState.EMPTY, log.subList(0, middle));
        PoolState restored =
                SnapshotCodec.read(new ByteArrayInputStream(SnapshotCodec.write(half)));
        byte[] resumed =
                SnapshotCodec.write(
                        TransitionPropertyTest.replay(restored, log.subList(middle, log.size())));
        byte[] replayed = SnapshotCodec.write(TransitionPropertyTest.replay(PoolState.EMPTY, log));
        assertThat(resumed).isEqualTo(replayed);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(replayed));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
