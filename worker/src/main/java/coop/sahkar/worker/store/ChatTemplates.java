package coop.sahkar.worker.store;

import coop.sahkar.worker.gguf.Metadata;
import coop.sahkar.worker.gguf.MetadataValue;
import coop.sahkar.worker.head.ChatTemplate;
import java.util.List;
import java.util.OptionalLong;

/** Chat templates as GGUF files carry them. */
public final class ChatTemplates {
    private ChatTemplates() {}

    /**
     * The chat template of a model, or the usual one if the model brings none.
     *
     * @param metadata all key-value pairs of the model's file, or of a shard with its tokenizer
     */
    public static ChatTemplate of(Metadata metadata) {
        List<MetadataValue> tokens =
                metadata.sequence("tokenizer.ggml.tokens")
                        .map(MetadataValue.Sequence::items)
                        .orElse(List.of());
        return ChatTemplate.of(
                metadata.text("tokenizer.chat_template").orElse(""),
                text(tokens, metadata.whole("tokenizer.ggml.bos_token_id")),
                text(tokens, metadata.whole("tokenizer.ggml.eos_token_id")));
    }

    private static String text(List<MetadataValue> tokens, OptionalLong id) {
        boolean known = id.isPresent() && id.getAsLong() >= 0 && id.getAsLong() < tokens.size();
        return known && tokens.get((int) id.getAsLong()) instanceof MetadataValue.Text(String text)
                ? text
                : "";
    }
}
