package coop.sahkar.client;

import coop.sahkar.client.provider.Failure;

/**
 * A provider that was asked in vain.
 *
 * @param provider its name
 * @param model the model's name there
 * @param failure why it did not answer, or not to the end
 */
public record Tried(String provider, String model, Failure failure) {}
