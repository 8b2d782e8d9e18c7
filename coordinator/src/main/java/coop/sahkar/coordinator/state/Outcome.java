package coop.sahkar.coordinator.state;

import org.jspecify.annotations.Nullable;

/**
 * What a command led to.
 *
 * @param state the state after it; when refused, the same but for the record of the refusal
 * @param refusal why nothing changed; null when it was accepted
 */
public record Outcome(PoolState state, @Nullable Refusal refusal) {}
