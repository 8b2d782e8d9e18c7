package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.ProtocolVersion;
import coop.sahkar.proto.v1.RouteStageMessage;
import coop.sahkar.proto.v1.SpanMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class WireTest {

    @ParameterizedTest
    @EnumSource(Problem.Kind.class)
    void problemsComeBack(Problem.Kind kind) {
        Problem problem = new Problem(kind, "what, where, what next", "field", 7);
        assertThat(Wire.fromWire(Wire.toWire(problem))).isEqualTo(problem);
    }

    @Test
    void unknownProblemCodesCountAsInternal() {
        var wire =
                coop.sahkar.proto.v1.Problem.newBuilder()
                        .setCodeValue(999)
                        .setMessage("new")
                        .setRetryAfterMillis(-1)
                        .build();
        assertThat(Wire.fromWire(wire)).isEqualTo(Problem.of(Problem.Kind.INTERNAL, "new"));
    }

    @ParameterizedTest
    @EnumSource(HiddenCodec.class)
    void codecsComeBack(HiddenCodec codec) {
        assertThat(Wire.fromWire(Wire.toWire(codec))).contains(codec);
        assertThat(Wire.fromWire(HiddenCodecMessage.HIDDEN_CODEC_UNSPECIFIED)).isEmpty();
    }

    @Test
    void stagesComeBackAndBadOnesDoNot() {
        RouteStage stage = new RouteStage("w", "host:1", new Span(3, 5));
        assertThat(Wire.fromWire(Wire.toWire(stage))).isEqualTo(stage);
        RouteStageMessage nameless = Wire.toWire(stage).toBuilder().clearWorkerId().build();
        assertThatThrownBy(() -> Wire.fromWire(nameless)).hasMessageContaining("worker's id");
        SpanMessage huge = SpanMessage.newBuilder().setFirst(-1).setEnd(-5).build();
        assertThatThrownBy(() -> Wire.fromWire(huge)).isInstanceOf(IllegalArgumentException.class);
    }

    private static ProtocolVersion version(int speaks, int from) {
        return ProtocolVersion.newBuilder().setSpeaks(speaks).setUnderstandsFrom(from).build();
    }

    @Test
    void versionsSayWhichSideToUpgrade() {
        int ours = Limits.PROTOCOL_VERSION;
        assertThat(ProtocolVersions.check(ProtocolVersions.ours(), "worker w")).isEmpty();
        assertThat(ProtocolVersions.check(version(ours + 5, ours), "worker w")).isEmpty();
        assertThat(ProtocolVersions.check(version(ours + 5, ours + 1), "worker w"))
                .hasValueSatisfying(p -> {
                    assertThat(p.kind()).isEqualTo(Problem.Kind.PROTOCOL);
                    assertThat(p.message()).endsWith("upgrade this side.");
                });
        assertThat(ProtocolVersions.check(version(2, 1), "worker w", version(4, 3)))
                .hasValueSatisfying(p -> assertThat(p.message()).endsWith("upgrade worker w."));
        assertThat(ProtocolVersions.check(version(0, 0), "worker w"))
                .hasValueSatisfying(p -> assertThat(p.message()).contains("is it Sahkar"));
    }
}
