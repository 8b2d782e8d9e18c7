package coop.sahkar.coordinator.state;

import org.jspecify.annotations.Nullable;

/**
 * What became of a command.
 *
 * @param id the command
 * @param refusal why it was refused; null when it was accepted
 */
public record AppliedCommand(CommandId id, @Nullable Refusal refusal) {}
