package coop.sahkar.client.provider;

import coop.sahkar.client.InferenceRequest;
import java.time.Duration;
import java.util.Optional;

/**
 * What a provider is asked.
 *
 * @param request as the caller made it
 * @param model the model's name at this provider
 * @param delivered text that the reader has already, from another provider; the answer goes on
 *     behind it. Empty at first
 * @param maxTokens most tokens to generate from here; 0: as many as the provider grants
 * @param seed used when the request names none and the provider takes one
 * @param timeLeft how long the answer may take; empty: as long as it takes
 */
public record Call(
        InferenceRequest request,
        String model,
        String delivered,
        int maxTokens,
        long seed,
        Optional<Duration> timeLeft) {}
