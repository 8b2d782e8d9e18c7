package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.BatchPolicy;
import coop.sahkar.worker.engine.EngineLimits;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.LogRoom;
import coop.sahkar.worker.engine.RecordingSink;
import coop.sahkar.worker.engine.StageEngine;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.ShardAssembler;
import coop.sahkar.worker.gguf.ShardPlan;
import coop.sahkar.worker.gguf.TensorSource;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.head.TextAssembler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sahkar Tiny in three engines, all golden prompts at once, against their golden answers. */
class GoldenRingTest {
    private static final int POSITIONS = 300;

    @TempDir Path folder = Path.of("");

    private final List<RouteStage> route = new ArrayList<>();
    private final List<LlamaModel> models = new ArrayList<>();
    private final Map<String, StageEngine> engines = new LinkedHashMap<>();

    @AfterEach
    void close() {
        engines.values().forEach(StageEngine::close);
        models.forEach(LlamaModel::close);
    }

    @Test
    void allTwelveAnswersComeRoundTheRingAtOnce() throws Exception {
        launch();
        JsonNode prompts =
                JsonMapper.shared()
                        .readTree(TestModels.resource("golden.json").toFile())
                        .get("prompts");
        List<RecordingSink> sinks = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            RecordingSink sink = new RecordingSink();
            sinks.add(sink);
            assertThat(engine("w0").start(start(i, ints(prompts.get(i).get("prompt_ids")), sink)))
                    .isTrue();
        }
        await().atMost(Duration.ofMinutes(2)).until(() -> sinks.stream().allMatch(s -> s.over()));
        for (int i = 0; i < prompts.size(); i++) {
            int[] output = sinks.get(i).tokens.stream().mapToInt(Integer::intValue).toArray();
            assertThat(output).isEqualTo(ints(prompts.get(i).get("output_ids")));
        }
        await().until(() -> engines.values().stream().allMatch(e -> e.stats().kvReserved() == 0));
    }

    private void launch() throws Exception {
        try (GgufFile file = GgufFile.open(TestModels.tiny())) {
            ModelManifest manifest = ManifestBuilder.build(file, "tiny", 1, Progress.NONE);
            for (int i = 0; i < 3; i++) {
                Span span = new Span(2 * i, 2 * i + 2);
                Path shard = folder.resolve("shard-" + i + ".gguf");
                ShardPlan plan = ShardPlan.of(manifest, span, file.metadata());
                ShardAssembler.assemble(plan, TensorSource.of(file), shard, Progress.NONE);
                models.add(LlamaModel.load(TestModels.bundled(), shard, 0));
                route.add(new RouteStage("w" + i, "host" + i + ":1", span));
            }
        }
        for (int i = 0; i < 3; i++) {
            LlamaModel model = models.get(i);
            RouteStage place = route.get(i);
            StageOptions options = TestModels.options(12 * POSITIONS, 12, 64);
            StageEngine engine =
                    new StageEngine(
                            place.workerId(),
                            () ->
                                    new LoadedStage(
                                            model.openStage(place.span(), 6, options),
                                            place.span().isHead() ? model.vocabulary() : null),
                            (to, message) ->
                                    assertThat(engine(to.workerId()).offer(message)).isTrue(),
                            EngineLimits.DEFAULT,
                            LogRoom.inMemory(LogRoom.MEMORY_BYTES),
                            BatchPolicy.DEFAULT,
                            (_, _) -> {},
                            Rerouting.NONE);
            engines.put(place.workerId(), engine);
        }
        engines.values().forEach(StageEngine::launch);
        engines.values().forEach(engine -> engine.shape().join());
    }

    private StageEngine engine(String id) {
        return Objects.requireNonNull(engines.get(id));
    }

    private GenerationStart start(int session, int[] prompt, RecordingSink sink) {
        Ticket ticket =
                new Ticket(
                        new SessionId(0, session),
                        1,
                        "tiny@0",
                        6,
                        route,
                        "",
                        POSITIONS,
                        Long.MAX_VALUE,
                        1);
        TextAssembler text = new TextAssembler(models.getFirst().vocabulary(), List.of(), 0);
        return new GenerationStart(
                new SealedTicket(ticket, new byte[0], new byte[0], "key"),
                TestModels.greedy(),
                prompt,
                new int[0],
                200,
                text,
                sink,
                1,
                0);
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }
}
