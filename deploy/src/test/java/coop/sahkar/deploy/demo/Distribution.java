package coop.sahkar.deploy.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs bin/sahkar as it was built, for tests. */
public final class Distribution {
    /** How a run ended. */
    public record Run(int exitCode, String out, String err) {}

    private static final int LIMIT_SECONDS = 120;

    private final Path scratch;

    /**
     * @param scratch the home of what runs, and where its temporary files go
     */
    public Distribution(Path scratch) {
        this.scratch = scratch;
    }

    /** Starts a command with nothing on its input and temporary files in the scratch folder. */
    Process start(Path out, Path err, List<String> arguments) throws IOException {
        return command(arguments)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
    }

    /** A command that is ready to start, with temporary files in the scratch folder. */
    public ProcessBuilder command(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(launcher().toString());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("SAHKAR_"));
        builder.environment().put("SAHKAR_JAVA_OPTS", "-Djava.io.tmpdir=" + temporary());
        builder.environment().put("HOME", scratch.toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return builder;
    }

    /** The built bin/sahkar. */
    public static Path launcher() {
        return Path.of("target/sahkar/bin/sahkar").toAbsolutePath();
    }

    /** The model that comes along. */
    public static Path bundledModel() {
        return Path.of("target/sahkar/models/sahkar-tiny/sahkar-tiny-Q8_0.gguf").toAbsolutePath();
    }

    /** Runs a command to its end. */
    public Run run(String... arguments) throws IOException, InterruptedException {
        Path out = scratch.resolve("out.txt");
        Path err = scratch.resolve("err.txt");
        Process process = start(out, err, List.of(arguments));
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("still running: " + Files.readString(err));
        }
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** The folder its temporary files go to. */
    public Path temporary() throws IOException {
        return Files.createDirectories(scratch.resolve("tmp"));
    }

    /** Worker processes whose data lies in the scratch folder. */
    public List<ProcessHandle> workers() {
        return ProcessHandle.allProcesses()
                .filter(process -> commandLine(process).contains(scratch.toString()))
                .filter(process -> commandLine(process).contains("--exit-with-parent"))
                .toList();
    }

    /** ProcessHandle tells no arguments of long command lines; the kernel does. */
    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
        } catch (IOException gone) {
            return process.info().commandLine().orElse("");
        }
    }
}
