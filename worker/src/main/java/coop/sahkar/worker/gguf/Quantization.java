package coop.sahkar.worker.gguf;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What people call the way a model's weights are stored. */
final class Quantization {
    /** llama.cpp's names for mixtures, by {@code general.file_type}. */
    private static final Map<Long, String> MIXTURES =
            Map.ofEntries(
                    Map.entry(10L, "Q2_K"),
                    Map.entry(11L, "Q3_K_S"),
                    Map.entry(12L, "Q3_K_M"),
                    Map.entry(13L, "Q3_K_L"),
                    Map.entry(14L, "Q4_K_S"),
                    Map.entry(15L, "Q4_K_M"),
                    Map.entry(16L, "Q5_K_S"),
                    Map.entry(17L, "Q5_K_M"),
                    Map.entry(18L, "Q6_K"),
                    Map.entry(21L, "Q2_K_S"));

    private Quantization() {}

    /** The name of the mixture where the file says so truly, else the type most bytes are in. */
    static String label(Metadata metadata, List<TensorEntry> tensors) {
        TensorType dominant = dominant(tensors);
        String mixture = MIXTURES.get(metadata.whole("general.file_type").orElse(-1));
        return mixture != null && mixture.startsWith(dominant.name()) ? mixture : dominant.name();
    }

    private static TensorType dominant(List<TensorEntry> tensors) {
        Map<TensorType, Long> bytes = new EnumMap<>(TensorType.class);
        for (TensorEntry tensor : tensors) {
            if (TensorNames.block(tensor.name()).isPresent()) {
                bytes.merge(tensor.type(), tensor.bytes(), Long::sum);
            }
        }
        return bytes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(TensorType.F32);
    }
}
