package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LlamaReleaseTest {
    @Test
    void isReadFromWhatWorkersAndManifestsSay() {
        assertThat(LlamaRelease.named("llama.cpp b4916")).isEqualTo(LlamaRelease.B4916);
        assertThat(LlamaRelease.named("llama.cpp v0.5")).isEqualTo(LlamaRelease.V0_5);
        assertThat(LlamaRelease.named("llama.cpp v0.5.3")).isEqualTo(LlamaRelease.V0_5);
    }

    @Test
    void takesAnUnknownOneForTheNewest() {
        assertThat(LlamaRelease.named("llama.cpp v0.9")).isEqualTo(LlamaRelease.V0_5);
        assertThat(LlamaRelease.named("llama.cpp v0.9").atLeast(LlamaRelease.B4916)).isTrue();
        assertThat(LlamaRelease.B4916.atLeast(LlamaRelease.V0_5)).isFalse();
    }
}
