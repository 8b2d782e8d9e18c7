package coop.sahkar.coordinator.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs a program in a process that is stopped before each change it makes to the file system, and
 * copies what lies there: that is what a {@code kill -9} at this moment leaves behind. Or lets its
 * disk be full from one of these changes on.
 */
final class Stepwise {
    private static final int MOST_STEPS = 5_000;
    private static final int END_SECONDS = 60;
    private static final int GO_ON = 1;

    /**
     * What one crash leaves behind.
     *
     * @param step which of the process's steps
     * @param before what the process was about to do
     * @param changed which files have changed since the crash before this one, without numbers
     * @param folder a copy of the folder
     * @param acknowledged commands that the process had had acknowledged
     * @param attempted commands that it had sent
     */
    record Remains(
            int step, String before, String changed, Path folder, int acknowledged, int attempted) {
        /** What distinguishes this moment from others. */
        String kind() {
            return changed + " then " + before;
        }
    }

    /**
     * What a process said whose disk was full.
     *
     * @param said on its standard error
     */
    record Ended(Remains remains, int exitCode, String said) {}

    private final Path scratch;

    /**
     * @param scratch a folder of this run's own
     */
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
     * @param program a class with a {@code main}, which calls {@link FileSteps#arm}; its only
     *     argument is the folder it works on
     * @return one for each change, and one for its end
     */
    List<Remains> run(Class<?> program) throws IOException, InterruptedException {
        Path folder = folder();
        Process process = start(program, folder);
        List<Remains> all = new ArrayList<>();
        try (BufferedReader said = process.inputReader(StandardCharsets.US_ASCII)) {
            String line = said.readLine();
            SortedMap<String, String> before = new TreeMap<>();
            for (int step = 0; line != null && step < MOST_STEPS; step++) {
                freeze(process, "STOP");
                SortedMap<String, String> now = shape(folder);
                if (step == 0 || !now.equals(before)) {
                    Path copy = scratch.resolve("remains-" + step);
                    copy(folder, copy);
                    all.add(remains(step, line, change(before, now), copy));
                    before = now;
                }
                freeze(process, "CONT");
                answer(process, GO_ON);
                line = said.readLine();
            }
            awaitEnd(program, process);
            if (process.exitValue() != 0) {
                throw new IOException("%s: %s".formatted(program, Files.readString(errors())));
            }
        } finally {
            process.destroyForcibly();
        }
        return all;
    }

    /**
     * Runs a program whose disk is full from one of its steps on.
     *
     * @return what it leaves behind, there being no step left if it took fewer
     */
    Ended fill(Class<?> program, int fullFrom) throws IOException, InterruptedException {
        Path folder = folder();
        Process process = start(program, folder);
        try (BufferedReader said = process.inputReader(StandardCharsets.US_ASCII)) {
            String last = "nothing 0 0";
            String line = said.readLine();
            for (int step = 0; line != null && step < MOST_STEPS; step++) {
                last = line;
                answer(process, step < fullFrom ? GO_ON : FileSteps.FULL);
                line = said.readLine();
            }
            awaitEnd(program, process);
            return new Ended(
                    remains(fullFrom, last, "full disk", folder),
                    process.exitValue(),
                    Files.readString(errors()));
        } finally {
            process.destroyForcibly();
        }
    }

    private Path folder() throws IOException {
        return Files.createDirectories(scratch.resolve("life"));
    }

    private void awaitEnd(Class<?> program, Process process)
            throws IOException, InterruptedException {
        if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException(
                    "%s does not end: %s".formatted(program, Files.readString(errors())));
        }
    }

    private static void answer(Process process, int answer) throws IOException {
        process.getOutputStream().write(answer);
        process.getOutputStream().flush();
    }

    private Process start(Class<?> program, Path folder) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-javaagent:" + FileStepsAgent.jar(scratch));
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto"));
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

    private static Remains remains(int step, String line, String changed, Path folder) {
        String[] words = line.split(" ", -1);
        return new Remains(
                step,
                words[0],
                changed,
                folder,
                Integer.parseInt(words[1]),
                Integer.parseInt(words[2]));
    }

    /** Changes whenever anything below the folder does: file by file. */
    private static SortedMap<String, String> shape(Path folder) throws IOException {
        SortedMap<String, String> shape = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                var about =
                        Files.readAttributes(
                                file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                String content =
                        about.isRegularFile() ? about.size() + " " + about.lastModifiedTime() : "";
                shape.put(folder.relativize(file).toString(), about.fileKey() + " " + content);
            }
        }
        return shape;
    }

    /** What has changed, in words that are the same for the first segment and the second. */
    private static String change(Map<String, String> before, Map<String, String> now) {
        SortedMap<String, String> all = new TreeMap<>(before);
        all.putAll(now);
        return all.keySet().stream()
                .filter(file -> !String.valueOf(before.get(file)).equals(now.get(file)))
                .map(file -> sign(before, now, file) + Path.of(file).getFileName())
                .map(file -> file.replaceAll("[0-9]+", "#"))
                .distinct()
                .collect(Collectors.joining(" "));
    }

    private static String sign(Map<String, String> before, Map<String, String> now, String file) {
        if (!before.containsKey(file)) {
            return "+";
        }
        return now.containsKey(file) ? "" : "-";
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
