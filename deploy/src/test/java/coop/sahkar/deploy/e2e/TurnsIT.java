package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.deploy.bench.TurnsBench;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Second turns on real workers: they begin where the first ended, say what they would have said
 * without it, and go on with another worker where one died in between.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TurnsIT {
    private static final int HISTORY_TOKENS = 350;
    private static final int CHATS = 4;

    /** Tokens that a turn adds, those of the chat template included, are fewer. */
    private static final int NEW_TOKENS = 60;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 6, 3);
        await().atMost(TestPool.SOON).until(() -> pool().chain().size() == 6);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }

    private long reused() {
        return pool().shards().stream().mapToLong(ShardReport::getRowsReused).sum();
    }

    /** Asks again for a turn whose first turn rests no more: its session has gone on. */
    private static void assertSameAnew(TurnsBench bench, TurnsBench.Turn turn) {
        TurnsBench.Turn anew = bench.turn(turn.chat());
        assertThat(anew.text()).isEqualTo(turn.text());
        assertThat(anew.cachedTokens()).isZero();
        System.out.printf(
                "second turn of %d tokens: %.1f ms, %.1f ms anew%n",
                turn.promptTokens(), turn.firstTokenMillis(), anew.firstTokenMillis());
    }

    @Test
    @Order(1)
    void aChatGoesOnWhereItEnded() {
        TurnsBench bench = new TurnsBench(pool().client(), pool().model());
        List<TurnsBench.Turn> turns = bench.run(HISTORY_TOKENS, CHATS);
        for (TurnsBench.Turn turn : turns) {
            assertThat(turn.promptTokens()).isGreaterThan(HISTORY_TOKENS - NEW_TOKENS);
            assertThat(turn.cachedTokens())
                    .isBetween(turn.promptTokens() - NEW_TOKENS, turn.promptTokens() - 1);
        }
        long atTheHeads = turns.stream().mapToLong(TurnsBench.Turn::cachedTokens).sum();
        await("what the stages report")
                .atMost(TestPool.SOON)
                .untilAsserted(() -> assertThat(reused()).isEqualTo(3 * atTheHeads));
        turns.forEach(turn -> assertSameAnew(bench, turn));
    }

    @Test
    @Order(2)
    void aPromptGoesOnWhereItsAnswerEnded() {
        GenerationOptions greedy = GenerationOptions.builder().temperature(0).maxTokens(40).build();
        String prompt = "Tariq and Meera went to the sea. ".repeat(8);
        Completion first = ask(prompt, greedy);
        Completion next = ask(prompt + first.text() + " Then", greedy);
        assertThat(next.usage().cachedTokens())
                .isGreaterThanOrEqualTo(first.usage().promptTokens())
                .isLessThan(next.usage().promptTokens());
        Completion anew = ask(prompt + first.text() + " Then", greedy);
        assertThat(anew.text()).isEqualTo(next.text());
    }

    private Completion ask(String prompt, GenerationOptions options) {
        return pool().client()
                .complete(InferenceRequest.prompt(pool().model(), prompt).with(options));
    }

    @Test
    @Order(3)
    void aWorkerThatDiedBetweenTwoTurnsIsReplaced() throws Exception {
        TurnsBench bench = new TurnsBench(pool().client(), pool().model());
        int killed = 0;
        for (int stage = 2; stage > 0; stage--) {
            TurnsBench.Turn before = bench.run(HISTORY_TOKENS, 1).getFirst();
            RouteStage dead = before.answer().answering().route().get(stage);
            if (!spared(dead)) {
                continue; // it takes a new placement to go on, and a request is refused till then
            }
            killed++;
            pool().node(dead.workerId()).kill();
            TurnsBench.Turn next = bench.turn(goOn(before));
            assertThat(next.cachedTokens())
                    .as(() -> "%s, then %s".formatted(before.answer(), next.answer()))
                    .isGreaterThan(before.promptTokens());
            assertSameAnew(bench, next);
            pool().startWorker(dead.workerId());
            pool().awaitPresent(6);
            pool().awaitOnePartEach(
                            6); // one who held two meanwhile gives one up, and chats with it
        }
        assertThat(killed).as("stages with a spare").isPositive();
    }

    /** Whether others hold all blocks of a stage too. */
    private boolean spared(RouteStage stage) {
        return IntStream.range(stage.span().first(), stage.span().end())
                .allMatch(block ->
                        pool().shards().stream()
                                        .filter(shard ->
                                                shard.getState() == ShardState.SHARD_STATE_SERVING)
                                        .map(ShardReport::getSpan)
                                        .filter(span ->
                                                span.getFirst() <= block && block < span.getEnd())
                                        .count()
                                > 1);
    }

    private static List<ChatMessage> goOn(TurnsBench.Turn turn) {
        List<ChatMessage> chat = new ArrayList<>(turn.chat());
        chat.add(ChatMessage.assistant(turn.text()));
        chat.add(ChatMessage.user("And after that?"));
        return chat;
    }
}
