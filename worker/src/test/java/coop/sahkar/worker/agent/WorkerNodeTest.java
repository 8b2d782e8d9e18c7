package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Whole workers in one process, with Sahkar Tiny cut among them. */
class WorkerNodeTest {
    private static final int BLOCKS = 6;
    private static final int CELLS = 512;
    private static final List<Span> THIRDS =
            List.of(new Span(0, 2), new Span(2, 4), new Span(4, 6));

    @TempDir Path directory;

    private final List<WorkerNode> nodes = new ArrayList<>();
    private FakePool pool;
    private Publication publication;

    @BeforeEach
    void start() throws Exception {
        pool = new FakePool();
        publication =
                Publisher.publish(
                        resource("sahkar-tiny-F16.gguf"),
                        PublishOptions.local(List.of(pool.address())),
                        Progress.NONE);
    }

    @AfterEach
    void stop() throws Exception {
        nodes.forEach(WorkerNode::close);
        publication.close();
        pool.close();
    }

    private static Path resource(String name) throws Exception {
        return Path.of(
                Objects.requireNonNull(WorkerNodeTest.class.getResource("/sahkar-tiny/" + name))
                        .toURI());
    }

    private WorkerOptions.Builder options(String name) {
        return WorkerOptions.builder(
                        directory.resolve(name),
                        List.of(pool.address()),
                        new Machine(1000, 1000, 1))
                .name(name)
                .memoryBytes(400_000_000)
                .diskBytes(100_000_000)
                .threads(1)
                .decodeBytesPerSecond(1_000_000_000)
                .metrics(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    private WorkerNode node(String name) throws WorkerException {
        WorkerNode node = WorkerNode.start(options(name).build(), WorkerListener.SILENT);
        nodes.add(node);
        await().until(() -> pool.attached(name));
        return node;
    }

    private void awaitServing(String name) {
        await().atMost(Duration.ofSeconds(30)).until(() -> pool.serving(name, 1));
    }

    private List<GenerationEvent> run(WorkerNode head, SignedTicket ticket, String question) {
        ManagedChannel channel =
                ManagedChannelBuilder.forTarget(head.self().endpoint()).usePlaintext().build();
        try {
            List<GenerationEvent> events = new ArrayList<>();
            HeadGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(30, TimeUnit.SECONDS)
                    .run(request(ticket, question))
                    .forEachRemaining(events::add);
            return events;
        } finally {
            channel.shutdownNow();
        }
    }

    private static RunRequest request(SignedTicket ticket, String question) {
        return RunRequest.newBuilder()
                .setTicket(ticket)
                .setRequest(
                        GenerateRequest.newBuilder()
                                .setChat(
                                        Chat.newBuilder()
                                                .addMessages(
                                                        ChatMessage.newBuilder()
                                                                .setRole("user")
                                                                .setContent(question)))
                                .setSampling(
                                        SamplingMessage.newBuilder()
                                                .setTopP(1)
                                                .setTypicalP(1)
                                                .setRepetitionPenalty(1))
                                .setMaxTokens(200))
                .build();
    }

    private static List<Integer> tokens(List<GenerationEvent> events) {
        return events.stream().flatMap(e -> e.getDelta().getTokensList().stream()).toList();
    }

    private static List<Integer> ints(JsonNode array) {
        List<Integer> ints = new ArrayList<>();
        array.forEach(number -> ints.add(number.asInt()));
        return ints;
    }

    @Test
    void threeWorkersAnswerTogetherAsTheReferenceDoes() throws Exception {
        List<String> names = List.of("w1", "w2", "w3");
        for (int i = 0; i < names.size(); i++) {
            node(names.get(i));
            pool.assign(names.get(i), publication.modelId(), CELLS, THIRDS.get(i));
        }
        names.forEach(this::awaitServing);
        JsonNode golden = JsonMapper.shared().readTree(resource("golden.json").toFile());
        int compared = 0;
        for (JsonNode prompt : golden.get("prompts")) {
            if (prompt.get("messages") == null || prompt.get("messages").size() != 1) {
                continue;
            }
            String question = prompt.get("messages").get(0).get("content").asString();
            SignedTicket ticket = pool.ticket(publication.modelId(), BLOCKS, names, THIRDS);
            List<GenerationEvent> events = run(nodes.getFirst(), ticket, question);
            assertThat(events.getLast().hasFinished()).as("%s", events.getLast()).isTrue();
            assertThat(tokens(events)).as(question).isEqualTo(ints(prompt.get("output_ids")));
            compared++;
        }
        assertThat(compared).isGreaterThanOrEqualTo(3);
        for (int i = 0; i < names.size(); i++) {
            String stage =
                    "{blocks=\"%s\",model=\"%s\"}".formatted(THIRDS.get(i), publication.modelId());
            Map<String, Double> seen = metrics(nodes.get(i));
            assertThat(seen.get("sahkar_stage_rows_total" + stage)).isPositive();
            assertThat(seen.get("sahkar_stage_kv_cells" + stage)).isGreaterThanOrEqualTo(CELLS);
            assertThat(seen.get("sahkar_ring_sent_total")).isPositive();
            assertThat(seen.get("sahkar_ring_violations_total")).isZero();
            assertThat(seen.get("sahkar_store_bytes")).isBetween(1e5, 1e8);
        }
    }

    /** A worker's metrics, by name and labels. */
    private static Map<String, Double> metrics(WorkerNode node) throws Exception {
        try (InputStream page = node.metricsUrl().orElseThrow().toURL().openStream()) {
            return new String(page.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .collect(
                            Collectors.toMap(
                                    line -> line.substring(0, line.lastIndexOf(' ')),
                                    line ->
                                            Double.parseDouble(
                                                    line.substring(line.lastIndexOf(' ') + 1))));
        }
    }

    @Test
    void goesOnServingAfterARestartAndFetchesNothingAgain() throws Exception {
        node("w1");
        Span all = new Span(0, BLOCKS);
        pool.assign("w1", publication.modelId(), CELLS, all);
        awaitServing("w1");
        nodes.removeFirst().close();
        await().until(() -> !pool.attached("w1"));
        publication.close();

        WorkerNode again = node("w1");
        pool.assign("w1", publication.modelId(), CELLS, all);
        awaitServing("w1");
        SignedTicket ticket =
                pool.ticket(publication.modelId(), BLOCKS, List.of("w1"), List.of(all));
        List<GenerationEvent> events = run(again, ticket, "Who are you?");
        assertThat(events.getLast().hasFinished()).isTrue();
    }

    @Test
    void saysGoodbyeAndStopsWithoutDelay() throws Exception {
        WorkerNode node = node("w1");
        node.close();
        assertThat(Objects.requireNonNull(pool.last.get("w1")).hasLeaving()).isTrue();
        node("w1");
    }

    @Test
    void letsNoSecondWorkerUseItsData() throws Exception {
        node("w1");
        assertThatThrownBy(() -> WorkerNode.start(options("w1").build(), WorkerListener.SILENT))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("another worker uses the data directory");
    }

    @Test
    void saysWhenItsPortIsTaken() throws Exception {
        String endpoint = node("w1").self().endpoint();
        int port = Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
        WorkerOptions taken = options("w2").address("127.0.0.1", port, "127.0.0.1").build();
        assertThatThrownBy(() -> WorkerNode.start(taken, WorkerListener.SILENT))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("cannot listen");
        node("w2");
    }
}
