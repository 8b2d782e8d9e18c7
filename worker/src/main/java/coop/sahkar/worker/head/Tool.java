package coop.sahkar.worker.head;

/**
 * A function that the model may call.
 *
 * @param description what it does; may be empty
 * @param parameters JSON schema of its arguments; empty: it takes none
 */
public record Tool(String name, String description, String parameters) {}
