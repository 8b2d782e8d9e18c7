package coop.sahkar.client;

/** The form an answer must have. */
public sealed interface AnswerFormat {
    /** Any text. */
    record Text() implements AnswerFormat {}

    /** Some JSON object. */
    record JsonObject() implements AnswerFormat {}

    /**
     * JSON that follows a schema.
     *
     * @param name of the schema: letters, digits, {@code _} and {@code -}
     * @param schema as JSON
     */
    record JsonSchema(String name, String schema) implements AnswerFormat {}
}
