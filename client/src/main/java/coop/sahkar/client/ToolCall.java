package coop.sahkar.client;

/**
 * A tool that the model wants called.
 *
 * @param id names the call in the message that brings its result
 * @param name of the tool
 * @param arguments a JSON object, as the model wrote it; check it before use
 */
public record ToolCall(String id, String name, String arguments) {}
