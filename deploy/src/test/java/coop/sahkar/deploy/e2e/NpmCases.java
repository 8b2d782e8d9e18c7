package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Clients from npm; {@code src/test/npm/clients.mjs} says what they do. They skip, loudly, where
 * there is no Node.js 20 with npm, or where the packages cannot be had.
 */
final class NpmCases {
    private static final Path SOURCE = Path.of("src", "test", "npm");
    private static final Path PLACE = Path.of("target", "npm").toAbsolutePath();
    private static final int OLDEST_NODE = 20;
    private static final int MAX_SECONDS = 180;
    private static final ObjectMapper JSON = new ObjectMapper();

    private NpmCases() {}

    /** What they got done with a pool, as cases that throw for what they did not. */
    static List<ClientCase> all(TestPool pool) throws Exception {
        if (!installed()) {
            return List.of();
        }
        String model = pool.model().substring(0, pool.model().indexOf('@'));
        List<ClientCase> cases = new ArrayList<>();
        for (String line : run("node", "clients.mjs", "http://" + pool.address(), model)) {
            JsonNode told = JSON.readTree(line);
            List<String> shows = new ArrayList<>();
            told.get("shows").forEach(shown -> shows.add(shown.stringValue()));
            cases.add(
                    new ClientCase(
                            told.get("client").stringValue(),
                            told.get("endpoint").stringValue(),
                            shows,
                            () -> assertThat(told.get("error").asString("")).isEmpty()));
        }
        assertThat(cases).as("what clients from npm told").isNotEmpty();
        return cases;
    }

    private static boolean installed() throws InterruptedException {
        try {
            Files.createDirectories(PLACE);
            for (String name : List.of("package.json", "package-lock.json", "clients.mjs")) {
                Files.copy(
                        SOURCE.resolve(name),
                        PLACE.resolve(name),
                        StandardCopyOption.REPLACE_EXISTING);
            }
            String version = run("node", "--version").getFirst();
            if (Integer.parseInt(version.replaceAll("v(\\d+).*", "$1")) < OLDEST_NODE) {
                return skipped("Node.js is older than 20: " + version);
            }
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline");
            return true;
        } catch (IOException missing) {
            return skipped(String.valueOf(missing.getMessage()));
        }
    }

    private static boolean skipped(String why) {
        System.err.println("SKIPPED: the clients from npm: " + why);
        return false;
    }

    /**
     * Runs a command to its end.
     *
     * @return the lines it printed
     * @throws IOException if it cannot be run, or fails
     */
    private static List<String> run(String... command) throws IOException, InterruptedException {
        Path printed = PLACE.resolve("printed.txt");
        Path errors = PLACE.resolve("errors.txt");
        Process process =
                new ProcessBuilder(command)
                        .directory(PLACE.toFile())
                        .redirectOutput(printed.toFile())
                        .redirectError(errors.toFile())
                        .start();
        boolean ended = process.waitFor(MAX_SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        if (!ended || process.waitFor() != 0) {
            throw new IOException(
                    String.join(" ", command) + " failed: " + Files.readString(errors));
        }
        return Arrays.asList(Files.readString(printed).strip().split("\n", -1));
    }
}
