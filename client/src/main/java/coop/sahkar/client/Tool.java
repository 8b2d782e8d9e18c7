package coop.sahkar.client;

/**
 * A tool the model may ask to be called.
 *
 * @param name letters, digits, {@code _} and {@code -}
 * @param description what it does and when to use it, for the model
 * @param parameters JSON schema of its arguments, an object
 */
public record Tool(String name, String description, String parameters) {}
