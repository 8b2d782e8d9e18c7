package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.ProtocolVersion;
import coop.sahkar.proto.v1.PublishRequest;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerMessage;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything wrong that can be sent to a running pool. Each gets a clear error, and somebody who
 * asks for stories all the while notices nothing.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputIT {
    private static final String CHAT = "/v1/chat/completions";
    private static final int HANG_UPS = 100;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;
    private @Nullable Bystander bystander;

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @BeforeEach
    void somebodyElse() {
        bystander = Bystander.of(pool());
    }

    @AfterEach
    void nobodyElseNoticed() throws Exception {
        Objects.requireNonNull(bystander).assertUndisturbed();
        await().atMost(TestPool.SOON).until(() -> pool().idle());
    }

    @Test
    void requestsThatCannotBeAreRefusedByName() throws Exception {
        String tooLong = "word ".repeat(2_000);
        refused("", 400, "invalid_request_error", "JSON");
        refused("{\"model\":", 400, "invalid_request_error", "JSON");
        refused("{\"model\":7}", 400, "invalid_request_error", "model");
        refused(chat("gpt-9", "x", ""), 404, "invalid_request_error", "gpt-9");
        refused(chat(name(), "x", ",\"temperature\":\"hot\""), 400, "invalid", "temperature");
        refused(chat(name(), "x", ",\"temperature\":-3"), 400, "invalid", "temperature");
        refused(chat(name(), "x", ",\"max_tokens\":-1"), 400, "invalid", "max_tokens");
        refused(chat(name(), "x", ",\"top_p\":1e300"), 400, "invalid", "top_p");
        refused(chat(name(), "x", ",\"max_tokens\":1e18"), 400, "invalid", "max_tokens");
        refused(chat(name(), "x", ",\"max_tokens\":513"), 400, "invalid", "max_tokens", "512");
        refused(chat(name(), tooLong, ""), 400, "context_length", "512");
        refused(chat(name(), tooLong, ",\"stream\":true"), 400, "context_length", "512");
    }

    private void refused(String body, int status, String... contains) throws Exception {
        HttpResponse<String> reply = new Http(pool().address()).post(CHAT, body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(status);
        assertThat(reply.body()).startsWith("{\"error\":{\"message\":\"").contains(contains);
    }

    @Test
    void aHundredReadersWhoHangUpLeaveNothingBehind() {
        Http http = new Http(pool().address());
        String body = chat(name(), Questions.STORY, ",\"stream\":true");
        List<Integer> all = Stream.iterate(0, i -> i + 1).limit(HANG_UPS).toList();
        all.parallelStream()
                .forEach(_ -> {
                    try {
                        http.hangUp(CHAT, body);
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
        // That every stage is idle again is looked at after each test.
    }

    @Test
    void bytesWithoutMeaningReachNobody() throws Exception {
        Random random = new Random(1);
        byte[] noise = new byte[8 * 1024];
        for (String address : List.of(ringAddress(0), ringAddress(1), pool().address())) {
            for (int i = 0; i < 5; i++) {
                random.nextBytes(noise);
                Http.garbage(address, noise);
            }
            Http.garbage(
                    address,
                    "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            Http.garbage(
                    address,
                    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\377"
                            .getBytes(StandardCharsets.US_ASCII));
        }
        assertThat(pool().present()).isEqualTo(3);
    }

    @Test
    void peersOfAnotherProtocolVersionAreToldWhoMustUpgrade() throws IOException {
        assertThat(linkRefusal(version(7, 9))).contains("understands protocol 7 to 9");
        assertThat(linkRefusal(version(0, 0))).contains("does not say which protocol");
        assertThat(workerRefusal(version(7, 9))).contains("understands protocol 7 to 9");
        assertThat(workerRefusal(version(0, 0))).contains("does not say which protocol");
        assertThat(pool().present()).isEqualTo(3);
    }

    /** Speaks as a link does: a preface, then a hello behind its length. */
    private String linkRefusal(ProtocolVersion version) throws IOException {
        byte[] hello =
                RingMessage.newBuilder()
                        .setHello(
                                LinkHello.newBuilder()
                                        .setProtocol(version)
                                        .setWorkerId("stranger")
                                        .addCodecs(HiddenCodecMessage.HIDDEN_CODEC_F32))
                        .build()
                        .toByteArray();
        URI address = URI.create("ring://" + ringAddress(1));
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            socket.setSoTimeout((int) TestPool.SOON.toMillis());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.write(new byte[] {'S', 'A', 'H', 'K', 'A', 'R', 0, 1});
            out.writeInt(hello.length);
            out.write(hello);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] reply = in.readNBytes(in.readInt());
            assertThat(in.read()).as("hung up on").isNegative();
            return LinkReply.parseFrom(reply).getRefused().getMessage();
        }
    }

    private String workerRefusal(ProtocolVersion version) {
        Heard<CoordinatorMessage> heard = new Heard<>();
        WorkerHello hello =
                WorkerHello.newBuilder()
                        .setProtocol(version)
                        .setWorkerId("stranger")
                        .setEndpoint("127.0.0.1:9")
                        .setMemoryBytes(1L << 30)
                        .build();
        WorkerControlGrpc.newStub(pool().channel())
                .attach(heard)
                .onNext(WorkerMessage.newBuilder().setHello(hello).build());
        await().atMost(TestPool.SOON).until(() -> heard.over);
        return heard.all.getLast().getRefused().getMessage();
    }

    @Test
    void manifestsThatLieAreRefusedOrFoundOut() throws Exception {
        Manifest truth =
                ModelsGrpc.newBlockingStub(pool().channel())
                        .getManifest(
                                GetManifestRequest.newBuilder().setModelId(pool().model()).build());
        Manifest.Builder outside = truth.toBuilder();
        outside.getTensorsBuilder(3).getDataBuilder().setOffset(truth.getFileBytes());
        publishRefused(outside, "lies outside the file");
        publishRefused(truth.toBuilder().setBlockCount(1_000_000), "block_count");
        publishRefused(truth.toBuilder().setBlockCount(7), "block 6 has no tensor");
        publishRefused(truth.toBuilder().setName("../../etc/passwd"), "name");

        Manifest.Builder forged = truth.toBuilder().setName("forged");
        forged.getTensorsBuilder(3).getDataBuilder().setSha256(ByteString.copyFrom(new byte[32]));
        String id = publish(forged);
        await().atMost(TestPool.SOON).until(() -> failures(id).size() >= 1);
        assertThat(failures(id)).allSatisfy(sentence -> assertThat(sentence).contains("digest"));
        pool().withdraw(id);
    }

    private List<String> failures(String model) {
        return pool().shards().stream()
                .filter(shard -> shard.getModelId().equals(model))
                .filter(shard -> shard.getState() == ShardState.SHARD_STATE_FAILED)
                .map(ShardReport::getFailure)
                .toList();
    }

    private void publishRefused(Manifest.Builder lie, String sentence) {
        assertThatThrownBy(() -> publish(lie))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining(sentence);
    }

    private String publish(Manifest.Builder manifest) {
        return ModelsGrpc.newBlockingStub(pool().channel())
                .publish(
                        PublishRequest.newBuilder()
                                .setManifest(manifest)
                                .addSources("sahkar://" + ringAddress(0))
                                .setMinStages(3)
                                .build())
                .getModelId();
    }

    /** What came back on a stream. */
    private static final class Heard<T> implements StreamObserver<T> {
        final List<T> all = new CopyOnWriteArrayList<>();
        volatile boolean over;

        @Override
        public void onNext(T message) {
            all.add(message);
        }

        @Override
        public void onError(Throwable failure) {
            over = true;
        }

        @Override
        public void onCompleted() {
            over = true;
        }
    }

    private static ProtocolVersion version(int understandsFrom, int speaks) {
        return ProtocolVersion.newBuilder()
                .setUnderstandsFrom(understandsFrom)
                .setSpeaks(speaks)
                .build();
    }

    private static String chat(String model, String question, String more) {
        return """
        {"model":"%s","messages":[{"role":"user","content":"%s"}]%s}\
        """
                .formatted(model, question, more);
    }

    private String ringAddress(int worker) {
        return pool().status().getWorkers(worker).getHello().getEndpoint();
    }

    private String name() {
        return pool().model().replaceFirst("@.*", "");
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
