package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.ChatTool;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.SamplingMessage;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Generation.Generate on the gateway's port. */
class GenerationServiceTest {
    private final GatewayFixture fixture = new GatewayFixture();
    private final ManagedChannel channel =
            NettyChannelBuilder.forAddress("127.0.0.1", fixture.gateway.port())
                    .usePlaintext()
                    .build();
    private final GenerationGrpc.GenerationBlockingStub stub =
            GenerationGrpc.newBlockingStub(channel);

    @AfterEach
    void close() {
        channel.shutdownNow();
        fixture.close();
    }

    private static GenerateRequest request() {
        return GenerateRequest.newBuilder()
                .setModel(ScriptedPool.NAME)
                .setChat(
                        Chat.newBuilder()
                                .addMessages(
                                        ChatMessage.newBuilder().setRole("user").setContent("x")))
                .build();
    }

    private static List<GenerationEvent> all(Iterator<GenerationEvent> events) {
        List<GenerationEvent> all = new ArrayList<>();
        events.forEachRemaining(all::add);
        return all;
    }

    /** How a call ended: its failed event, or its status when that came first. */
    private static String end(Iterator<GenerationEvent> events) {
        try {
            return all(events).getLast().getFailed().getProblem().getCode().name();
        } catch (StatusRuntimeException ended) {
            return ended.getStatus().getCode().name();
        }
    }

    @Test
    void eventsComeInOrder() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("one ", "two"));
        List<GenerationEvent> events = all(stub.generate(request()));
        assertThat(events.stream().map(GenerationEvent::getEventCase))
                .containsExactly(
                        GenerationEvent.EventCase.STARTED,
                        GenerationEvent.EventCase.PREFILLED,
                        GenerationEvent.EventCase.DELTA,
                        GenerationEvent.EventCase.DELTA,
                        GenerationEvent.EventCase.FINISHED);
        GenerateRequest seen = head.requests.getFirst().getRequest();
        assertThat(seen.getRequestId()).startsWith("req-");
        SamplingMessage sampling = seen.getSampling();
        assertThat(sampling.getTopP()).isEqualTo(1);
        assertThat(sampling.getTemperature()).isZero();
        assertThat(sampling.getSeed()).isNotZero();
    }

    @Test
    void aBadRequestIsAnEventThatNamesTheField() {
        GenerateRequest bad =
                request().toBuilder()
                        .setSampling(SamplingMessage.newBuilder().setTemperature(Float.NaN))
                        .build();
        List<GenerationEvent> events = all(stub.generate(bad));
        assertThat(events).hasSize(1);
        assertThat(events.getFirst().getFailed().getProblem().getField()).isEqualTo("temperature");
        assertThat(events.getFirst().getFailed().getProblem().getCode())
                .isEqualTo(ProblemCode.PROBLEM_CODE_INVALID_REQUEST);
    }

    @Test
    void anEmptyRequestIsRefused() {
        List<GenerationEvent> events = all(stub.generate(GenerateRequest.getDefaultInstance()));
        assertThat(events.getFirst().getFailed().getProblem().getField()).isEqualTo("model");
    }

    /** The same grammar as over HTTP, from the same schemas. */
    @Test
    void aFormAndFunctionsBecomeTheGrammarThatCallersOverHttpGet() {
        ScriptedHead head = fixture.head("a", ScriptedHead.saying("{}"));
        String schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}";
        String tools =
                ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look\",\"description\":\"d\",\"parameters\":%s}}]"
                        .formatted(schema);
        String format =
                ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":%s}}"
                        .formatted(schema);
        String object = ",\"response_format\":{\"type\":\"json_object\"}";
        ChatTool tool =
                ChatTool.newBuilder()
                        .setName("look")
                        .setDescription("d")
                        .setParameters(schema)
                        .build();
        GenerateRequest offering =
                request().toBuilder()
                        .setChat(request().getChat().toBuilder().addTools(tool))
                        .build();
        for (String more : List.of(format, object, tools, tools + format)) {
            assertThat(fixture.caller.chat(GatewayFixture.chat(more)).status()).isEqualTo(200);
        }
        all(stub.generate(request().toBuilder().setJsonSchema(schema).build()));
        all(stub.generate(request().toBuilder().setJsonObject(true).build()));
        all(stub.generate(offering));
        all(stub.generate(offering.toBuilder().setJsonSchema(schema).build()));

        List<String> grammars =
                head.requests.stream()
                        .map(run -> run.getRequest().getSampling().getGrammar())
                        .toList();
        assertThat(grammars.subList(4, 8)).isEqualTo(grammars.subList(0, 4)).doesNotContain("");
        assertThat(head.requests.getLast().getRequest().getChat().getTools(0)).isEqualTo(tool);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "json_schema | nothing | {}  | look",
                "json_schema.pattern | {\"type\":\"string\",\"pattern\":\"a\"} | {} | look",
                "tools[0].name | {} | {} | lo ok",
                "tools[0].parameters | {} | [] | look",
            })
    void aFormOrFunctionThatCannotBeHadIsRefusedByName(
            String field, String schema, String parameters, String name) {
        ChatTool tool = ChatTool.newBuilder().setName(name).setParameters(parameters).build();
        GenerateRequest bad =
                request().toBuilder()
                        .setChat(request().getChat().toBuilder().addTools(tool))
                        .setJsonSchema(schema)
                        .build();
        List<GenerationEvent> events = all(stub.generate(bad));
        assertThat(events.getFirst().getFailed().getProblem().getField()).isEqualTo(field);
    }

    @Test
    void tokensOfAPromptAreCountedByAHead() {
        fixture.head("a", ScriptedHead.saying("x"));
        GenerateRequest prompt =
                GenerateRequest.newBuilder().setModel(ScriptedPool.NAME).setPrompt("abc").build();
        assertThat(stub.countTokens(prompt).getTokens()).as("with the first").isEqualTo(4);
        GenerateRequest nobody = prompt.toBuilder().setModel("nobody").build();
        assertThat(stub.countTokens(nobody).getProblem().getCode())
                .isEqualTo(ProblemCode.PROBLEM_CODE_MODEL_NOT_FOUND);
        GenerateRequest nothing = prompt.toBuilder().setPrompt("").build();
        assertThat(stub.countTokens(nothing).getProblem().getField()).isEqualTo("prompt");
    }

    @Test
    void aResultOfNoCallIsRefused() {
        GenerateRequest bad =
                request().toBuilder()
                        .setChat(
                                request().getChat().toBuilder()
                                        .addMessages(
                                                ChatMessage.newBuilder()
                                                        .setRole("tool")
                                                        .setCallId("call_1")))
                        .build();
        List<GenerationEvent> events = all(stub.generate(bad));
        assertThat(events.getFirst().getFailed().getProblem().getField())
                .isEqualTo("messages[1].tool_call_id");
    }

    @Test
    void cancellingTheCallCancelsTheHead() {
        ScriptedHead head = fixture.head("a", (_, call) -> call.started());
        try (Context.CancellableContext context = Context.current().withCancellation()) {
            context.run(() -> assertThat(stub.generate(request()).next().hasStarted()).isTrue());
        }
        await().atMost(5, TimeUnit.SECONDS)
                .until(() -> head.calls.getFirst().cancelled.getCount() == 0);
        await().until(() -> fixture.gateway.running() == 0);
    }

    @Test
    void theCallersDeadlineEndsIt() {
        ScriptedHead head = fixture.head("a", (_, call) -> call.started());
        Iterator<GenerationEvent> events =
                stub.withDeadlineAfter(300, TimeUnit.MILLISECONDS).generate(request());
        assertThat(events.next().hasStarted()).isTrue();
        assertThat(end(events)).contains("DEADLINE_EXCEEDED");
        await().atMost(5, TimeUnit.SECONDS)
                .until(() -> head.calls.getFirst().cancelled.getCount() == 0);
    }

    @Test
    void aReaderThatReadsNothingHoldsTheHeadBack() {
        String word = "x".repeat(50_000);
        ScriptedHead head =
                fixture.head(
                        "a",
                        (_, call) -> {
                            call.started();
                            Runnable pour =
                                    () -> {
                                        while (call.out.isReady() && call.sent.get() < 1_000) {
                                            call.token(call.sent.get(), word);
                                        }
                                    };
                            call.out.setOnReadyHandler(pour);
                        });
        Iterator<GenerationEvent> events = stub.generate(request());
        assertThat(events.next().hasStarted()).isTrue();
        await().atMost(5, TimeUnit.SECONDS)
                .until(() -> head.calls.getFirst().cancelled.getCount() == 0);
        assertThat(head.calls.getFirst().sent.get()).isPositive().isLessThan(200);
    }
}
