package coop.sahkar.client;

import coop.sahkar.proto.Span;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A model of the pool.
 *
 * @param id {@code name@digest}
 * @param name the part before the {@code @}
 * @param architecture GGUF's name of it, for example {@code llama}
 * @param quantization what people call it, for example {@code Q4_K_M}
 * @param fileBytes bytes of the published file
 * @param blockCount transformer layers
 * @param contextLength longest context, in positions
 * @param ready whether a chain of workers serves it now
 * @param missing blocks that no worker serves now
 * @param explanation what keeps it from being ready and what would help; empty when ready
 * @param publishedAt when it was published
 * @param withdrawnAt when it takes no more requests; empty when it stays
 */
public record ModelInfo(
        String id,
        String name,
        String architecture,
        String quantization,
        long fileBytes,
        int blockCount,
        int contextLength,
        boolean ready,
        List<Span> missing,
        String explanation,
        Instant publishedAt,
        Optional<Instant> withdrawnAt) {
    public ModelInfo {
        missing = List.copyOf(missing);
    }
}
