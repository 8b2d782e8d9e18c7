package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import coop.sahkar.deploy.demo.Distribution;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that know nothing of us, unchanged, against a running pool of the bundled model. What
 * they got done stands in the table of {@code CLIENTS.md}; {@code -Dsahkar.clients.update=true}
 * writes it anew.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RealClientsIT {
    private static final Path PAGE = Path.of("..", "CLIENTS.md");

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;
    private @Nullable OpenAiJavaCases openAi;

    @BeforeAll
    void start() throws Exception {
        TestPool pool = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
        running = pool;
        openAi = new OpenAiJavaCases(pool);
    }

    @AfterAll
    void end() {
        if (openAi != null) {
            openAi.close();
        }
        if (running != null) {
            running.close();
        }
    }

    @TestFactory
    Stream<DynamicTest> clientsGetWhatTheyAskFor() {
        List<ClientCase> cases = new ArrayList<>(Objects.requireNonNull(openAi).all());
        cases.addAll(new LangChainCases(Objects.requireNonNull(running)).all());
        ClientTable table = new ClientTable(cases.stream().map(ClientCase::client).toList());
        List<ClientCase> done = new ArrayList<>();
        Stream<DynamicTest> tests =
                cases.stream()
                        .map(one ->
                                dynamicTest(
                                        one.title(),
                                        () -> {
                                            one.check().run();
                                            table.add(one);
                                            done.add(one);
                                        }));
        return Stream.concat(
                tests,
                Stream.of(
                        dynamicTest(
                                "CLIENTS.md says so",
                                () -> {
                                    assumeTrue(done.size() == cases.size(), "some clients failed");
                                    compare(table);
                                })));
    }

    private static void compare(ClientTable table) throws Exception {
        if (Boolean.getBoolean("sahkar.clients.update")) {
            table.writeInto(PAGE);
        }
        assertThat(table.standsIn(PAGE))
                .as("the table in %s is this run's; -Dsahkar.clients.update=true writes it", PAGE)
                .isTrue();
    }
}
