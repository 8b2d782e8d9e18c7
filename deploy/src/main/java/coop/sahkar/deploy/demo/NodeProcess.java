package coop.sahkar.deploy.demo;

import coop.sahkar.deploy.network.SmallInternet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A worker or coordinator in a process of its own, started as a person would start it. It holds the
 * reading end of a pipe from this process and ends when the pipe does, however this process ends.
 */
final class NodeProcess implements AutoCloseable {
    private static final int END_SECONDS = 5;
    private static final int SHOWN_LOG_LINES = 10;
    private static final String SAME_SPEED = "1000000000";

    private final String id;
    private final ProcessBuilder command;
    private final Path log;
    private @Nullable Process process;

    private NodeProcess(String id, ProcessBuilder command, Path log) {
        this.id = id;
        this.command = command;
        this.log = log;
    }

    /**
     * Gets a worker ready to start.
     *
     * @param launcher bin/sahkar of the distribution
     * @param id the worker's id
     * @param crew what it has in common with the others
     * @param coordinator where the coordinator listens
     * @param memoryBytes what it lends
     * @param folder for its data and its output
     * @param internet where it has a machine of its own; null: it runs beside this process
     */
    static NodeProcess prepare(
            Path launcher,
            String id,
            DemoPool.Crew crew,
            String coordinator,
            long memoryBytes,
            Path folder,
            @Nullable SmallInternet internet)
            throws IOException {
        Path data = Files.createDirectories(folder.resolve(id));
        Path noSettings = data.resolve("settings.properties");
        Files.createFile(noSettings);
        Path log = data.resolve("output.txt");
        List<String> command = new ArrayList<>();
        command.add(launcher.toString());
        command.addAll(
                List.of(
                        "worker",
                        "--exit-with-parent",
                        "--id",
                        id,
                        "--threads",
                        Integer.toString(crew.threads())));
        command.addAll(List.of("--coordinator", coordinator, "--data", data.toString()));
        command.addAll(List.of("--memory", Long.toString(memoryBytes)));
        command.addAll(List.of("--speed", SAME_SPEED)); // measuring would take a second
        command.addAll(List.of("--drain-timeout", Integer.toString(crew.drainSeconds())));
        command.addAll(List.of("--config", noSettings.toString()));
        if (internet != null) {
            command.addAll(List.of("--listen", internet.address(id) + ":0"));
            command.addAll(List.of("--expose-without-encryption", "--codec", "F32"));
        }
        ProcessBuilder builder =
                new ProcessBuilder(internet == null ? command : internet.inside(id, command))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        // A person's own settings are not for the demo's workers.
        builder.environment().keySet().removeIf(name -> name.startsWith("SAHKAR_"));
        return new NodeProcess(id, builder, log);
    }

    /**
     * Gets a coordinator ready to start.
     *
     * @param launcher bin/sahkar of the distribution
     * @param id the coordinator's id
     * @param listen where its gateway listens, host:port
     * @param raftListen where its log listens, host:port
     * @param join a gateway of the pool to join; empty to begin one, or to go on
     * @param folder for its data and its output
     * @param internet where it has a machine of its own; null: it runs beside this process
     */
    static NodeProcess coordinator(
            Path launcher,
            String id,
            String listen,
            String raftListen,
            String join,
            Path folder,
            @Nullable SmallInternet internet)
            throws IOException {
        Path data = Files.createDirectories(folder.resolve(id));
        Path noSettings = data.resolve("settings.properties");
        if (!Files.exists(noSettings)) {
            Files.createFile(noSettings);
        }
        Path log = data.resolve("output.txt");
        List<String> command = new ArrayList<>(List.of(launcher.toString(), "coordinator"));
        if (!join.isEmpty()) {
            command.addAll(List.of("join", join));
        }
        command.addAll(List.of("--exit-with-parent", "--id", id, "--listen", listen));
        command.addAll(List.of("--raft-listen", raftListen, "--data", data.toString()));
        command.addAll(List.of("--config", noSettings.toString()));
        if (internet != null) {
            command.add("--expose-without-encryption");
        }
        ProcessBuilder builder =
                new ProcessBuilder(internet == null ? command : internet.inside(id, command))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("SAHKAR_"));
        return new NodeProcess(id, builder, log);
    }

    /** Starts it; also once more, after it was killed. */
    void start() throws IOException {
        process = command.start();
    }

    /** Ends it without warning. */
    void kill() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    /**
     * Sends it a signal by name, such as STOP or CONT.
     *
     * @throws IOException where there is no {@code kill} command
     */
    void signal(String name) throws IOException {
        new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start();
    }

    String id() {
        return id;
    }

    long pid() {
        return process == null ? 0 : process.pid();
    }

    boolean alive() {
        return process != null && process.isAlive();
    }

    /** The last lines it printed, for when it ended too early. */
    String lastWords() {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return String.join(
                    "\n", lines.subList(Math.max(0, lines.size() - SHOWN_LOG_LINES), lines.size()));
        } catch (IOException e) {
            return "(its output cannot be read: " + e.getMessage() + ")";
        }
    }

    /** Tells it to end, without waiting. */
    void tellToEnd() {
        if (process != null) {
            process.destroy();
        }
    }

    @Override
    public void close() {
        Process running = process;
        if (running == null) {
            return;
        }
        running.destroy();
        try {
            if (!running.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                running.destroyForcibly().waitFor(END_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            running.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
