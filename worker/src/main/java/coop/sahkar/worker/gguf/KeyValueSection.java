package coop.sahkar.worker.gguf;

/**
 * Where the whole key-value section of a published file lies. A manifest leaves the tokenizer out;
 * stages that need it read it here.
 *
 * @param offset where it begins, counted from the beginning of the published file
 * @param bytes how long it is
 * @param sha256 of its bytes, as 64 lower-case hexadecimal digits
 * @param count how many key-value pairs it has
 */
public record KeyValueSection(long offset, long bytes, String sha256, int count) {}
