package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationFailed;
import coop.sahkar.proto.v1.Problem;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.Started;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What OpenTelemetry is told of an answer. */
class TracedGenerationTest {
    private final List<SpanData> ended = new ArrayList<>();
    private final SdkTracerProvider provider =
            SdkTracerProvider.builder().addSpanProcessor(new Ended()).build();
    private final List<GenerationEvent> passed = new ArrayList<>();
    private final TracedGeneration traced =
            new TracedGeneration(
                    provider.get("test"),
                    "chat",
                    GenerateRequest.newBuilder().setMaxTokens(9).setPrompt("secret").build(),
                    new Reader());

    @AfterEach
    void close() {
        provider.close();
    }

    @Test
    void aWholeAnswerIsASpanWithItsCounts() {
        say(
                GenerationEvent.newBuilder()
                        .setStarted(Started.newBuilder().setModelId("tiny@1"))
                        .build());
        say(GenerationEvent.newBuilder().setDelta(Delta.newBuilder().setText("secret")).build());
        assertThat(ended).isEmpty();
        say(
                GenerationEvent.newBuilder()
                        .setFinished(
                                Finished.newBuilder()
                                        .setReason(FinishReason.FINISH_REASON_LENGTH)
                                        .setPromptTokens(3)
                                        .setCompletionTokens(9))
                        .build());
        assertThat(passed).hasSize(3);
        SpanData span = ended.getFirst();
        assertThat(span.getName()).isEqualTo("chat tiny@1");
        assertThat(text(span, "gen_ai.operation.name")).isEqualTo("chat");
        assertThat(text(span, "gen_ai.response.model")).isEqualTo("tiny@1");
        assertThat(number(span, "gen_ai.request.max_tokens")).isEqualTo(9);
        assertThat(number(span, "gen_ai.usage.input_tokens")).isEqualTo(3);
        assertThat(number(span, "gen_ai.usage.output_tokens")).isEqualTo(9);
        assertThat(span.getAttributes().get(FINISH_REASONS)).containsExactly("length");
        assertThat(span.toString()).doesNotContain("secret");
    }

    private static final AttributeKey<List<String>> FINISH_REASONS =
            AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");

    @Test
    void whatFailsSaysWhy() {
        Problem lost = Problem.newBuilder().setCode(ProblemCode.PROBLEM_CODE_WORKER_LOST).build();
        say(
                GenerationEvent.newBuilder()
                        .setFailed(GenerationFailed.newBuilder().setProblem(lost))
                        .build());
        assertThat(text(ended.getFirst(), "error.type")).isEqualTo("worker_lost");
        assertThat(ended.getFirst().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    }

    @Test
    void aReaderWhoHangsUpCancels() {
        traced.abandoned();
        assertThat(text(ended.getFirst(), "error.type")).isEqualTo("cancelled");
    }

    private void say(GenerationEvent event) {
        traced.event(event);
    }

    private static String text(SpanData span, String key) {
        return String.valueOf(span.getAttributes().get(AttributeKey.stringKey(key)));
    }

    private static long number(SpanData span, String key) {
        Long value = span.getAttributes().get(AttributeKey.longKey(key));
        return value == null ? -1 : value;
    }

    private final class Reader implements GenerationListener {
        @Override
        public void begun(GenerationRun run) {}

        @Override
        public void event(GenerationEvent event) {
            passed.add(event);
        }

        @Override
        public void waiting(long millis) {}
    }

    private final class Ended implements SpanProcessor {
        @Override
        public void onStart(Context parent, ReadWriteSpan span) {}

        @Override
        public boolean isStartRequired() {
            return false;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            ended.add(span.toSpanData());
        }

        @Override
        public boolean isEndRequired() {
            return true;
        }
    }
}
