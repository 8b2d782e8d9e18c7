package coop.sahkar.coordinator.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs a program in a process that is stopped before each change it makes to the file system, and
 * copies what lies there: that is what a {@code kill -9} at this moment leaves behind.
 */
final class Stepwise {
    private static final int MOST_STEPS = 5_000;
    private static final int END_SECONDS = 60;

    /**
     * What one crash leaves behind.
     *
     * @param number which step
     * @param before what the process was about to do
     * @param folder a copy of the folder
     * @param acknowledged commands that the process had had acknowledged
     * @param attempted commands that it had sent
     */
    record Remains(int number, String before, Path folder, int acknowledged, int attempted) {}

    private final Path scratch;

    Stepwise(Path scratch) {
        this.scratch = scratch;
    }

    /** Why this machine cannot do that; empty if it can. */
    static Optional<String> obstacle() {
        return System.getProperty("os.name").equals("Linux")
                ? Optional.empty()
                : Optional.of("the classes of the JDK that change files are those of Linux");
    }

    /**
     * Runs a program to its end.
     *
     * @param program a class with a {@code main}, which calls {@link FileSteps#arm}
     * @param folder what it works on; its only argument
     * @return one for each change, and one for its end
     */
    List<Remains> run(Class<?> program, Path folder) throws IOException, InterruptedException {
        Process process = start(program, folder);
        List<Remains> all = new ArrayList<>();
        try (BufferedReader said =
                new BufferedReader(
                        new InputStreamReader(
                                process.getInputStream(), StandardCharsets.US_ASCII))) {
            String line = said.readLine();
            String before = "";
            while (line != null && all.size() < MOST_STEPS) {
                freeze(process, "STOP");
                String now = shape(folder);
                if (!now.equals(before)) {
                    all.add(remains(all.size(), line, folder));
                    before = now;
                }
                freeze(process, "CONT");
                process.getOutputStream().write(1);
                process.getOutputStream().flush();
                line = said.readLine();
            }
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException(
                        "%s failed (%s): %s"
                                .formatted(program, process, Files.readString(errors())));
            }
        } finally {
            process.destroyForcibly();
        }
        return all;
    }

    private Process start(Class<?> program, Path folder) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-javaagent:" + FileStepsAgent.jar(scratch));
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(program.getName(), folder.toString()));
        return new ProcessBuilder(command).redirectError(errors().toFile()).start();
    }

    private Path errors() {
        return scratch.resolve("errors.txt");
    }

    /** All its threads stand still, whatever they were at. */
    private static void freeze(Process process, String signal)
            throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    }

    private Remains remains(int number, String line, Path folder) throws IOException {
        String[] words = line.split(" ", -1);
        Path copy = scratch.resolve("remains-" + number);
        copy(folder, copy);
        return new Remains(
                number, words[0], copy, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
    }

    /** Changes whenever anything below the folder does. */
    private static String shape(Path folder) throws IOException {
        StringBuilder shape = new StringBuilder();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted().toList()) {
                var about =
                        Files.readAttributes(
                                file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                shape.append(folder.relativize(file)).append(' ');
                shape.append(about.fileKey()).append(' ');
                if (about.isRegularFile()) {
                    shape.append(about.size()).append(' ').append(about.lastModifiedTime());
                }
                shape.append('\n');
            }
        }
        return shape.toString();
    }

    static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(
                        file,
                        to.resolve(from.relativize(file).toString()),
                        StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }
}
