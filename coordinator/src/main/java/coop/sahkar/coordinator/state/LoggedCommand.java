package coop.sahkar.coordinator.state;

/**
 * A command as it stands in the log.
 *
 * @param id what makes it be applied once, however often it is sent
 * @param command the change
 */
public record LoggedCommand(CommandId id, Command command) {}
