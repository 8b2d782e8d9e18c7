package coop.sahkar.client;

/**
 * The part of an answer that one provider gave.
 *
 * @param provider its name
 * @param model the model's name there
 * @param first index in the text of its first character
 * @param end index behind its last character
 */
public record Part(String provider, String model, int first, int end) {}
